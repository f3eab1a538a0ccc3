"""What a command says when it cannot do its work, in two languages."""


class Trouble(Exception):
    """A command cannot go on; the program prints both texts and exits with status 1."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh
