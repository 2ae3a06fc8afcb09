"""`python -m audiovae`, which is what torchrun starts."""

from audiovae.cli import main

main()
