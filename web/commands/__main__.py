"""`python -m web.commands` is the `golden` program."""

from web import commands

if __name__ == "__main__":  # a forked child looks at its parent's main module
    commands.main()
