"""`python -m farolito`, for processes that the node starts itself."""

from farolito.cli import main

main()
