"""Whether people's searches are explained: found by rules, looked at by somebody outside.

In: what the ledger says of searches. Out: reviews with their reason and their deadline.
Never: a verdict by machine, a review by the one it is about or by whoever commands them, a score
of a person.
"""
