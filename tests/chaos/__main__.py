"""`python -m tests.chaos`; forked children load this module too, so next to nothing is here."""

if __name__ == "__main__":
    from tests.chaos import program

    raise SystemExit(program.main())
