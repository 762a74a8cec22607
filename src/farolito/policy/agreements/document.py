"""An agreement as one file: what people read, and below it the terms that machines read.

What is signed are exactly its bytes. All but the signers' own words is made from the terms, and a
file that is not, letter for letter, what its terms make, is refused: text and terms cannot say
two things.
"""

from __future__ import annotations

from hashlib import sha256

from farolito.model import Agreement, Invalid
from farolito.policy.agreements.sentences import sentences
from farolito.policy.agreements.terms import check, read_terms, write_terms

DOCUMENT_BYTES_MAX = 400_000
_WORDS = "\n\n## In the signers' words\n\n"
_TERMS = "\n\n## The terms, for machines\n\n```toml\n"
_END = "```\n"


def write_document(agreement: Agreement) -> str:
    """The same bytes for the same terms, always. Raises Invalid where they cannot be written."""
    check(agreement)
    told = "\n".join(f"- {sentence}" for sentence in sentences(agreement))
    head = f"# {agreement.title}\n\n## What is agreed\n\n{told}"
    terms = write_terms(agreement)
    return f"{head}{_WORDS}{agreement.text}{_TERMS}{terms}{_END}"


def parse_document(text: str) -> Agreement:
    """Raises Invalid with the line that is not as its terms have it, and what to do."""
    if len(text) > DOCUMENT_BYTES_MAX or len(text.encode()) > DOCUMENT_BYTES_MAX:
        raise Invalid("a document that is too long", f"at most {DOCUMENT_BYTES_MAX} bytes")
    head, found, rest = text.partition(_WORDS)
    # The last one: the terms hold no line break inside a string, so none of theirs is after it.
    words, fence, terms = rest.rpartition(_TERMS)
    if not found or not fence or not terms.endswith(f"\n{_END}"):
        raise Invalid("no agreement's document", "send the file as it was written, all of it")
    above = head.count("\n") + _WORDS.count("\n") + words.count("\n") + _TERMS.count("\n")
    try:
        # Lines before it, so that a wrong line is told as the document's own.
        agreement = read_terms("\n" * above + terms.removesuffix(_END), words)
        made = write_document(agreement)
    except Invalid as error:
        says = f"{error.says} (the terms begin at line {above + 1})"
        raise Invalid(says, error.do) from error
    if made != text:
        raise _differs(text, made)
    return agreement


def digest(document: str) -> bytes:
    """SHA-256 of its bytes, UTF-8: what people's passkeys sign."""
    return sha256(document.encode()).digest()


def _differs(text: str, made: str) -> Invalid:
    told, right = text.split("\n"), made.split("\n")
    pairs = zip(told, right, strict=False)
    shorter = min(len(told), len(right))
    same = next((n for n, (one, other) in enumerate(pairs) if one != other), shorter)
    want = right[same] if same < len(right) else "nothing more"
    return Invalid(
        f"line {same + 1} of the document is not what its terms make of it",
        f"change the terms and write it anew; they say: {want[:200]}",
    )
