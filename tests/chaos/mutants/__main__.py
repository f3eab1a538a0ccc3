"""`python -m tests.chaos.mutants M3 serve …`: the `golden` program with one thing broken."""

if __name__ == "__main__":
    import sys

    from tests.chaos import mutants
    from web import commands

    mutants.apply(sys.argv.pop(1))
    commands.main()
