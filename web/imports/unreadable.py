"""What is said of a file that cannot be read at all."""


class Unreadable(Exception):
    """The file cannot be read; `en` and `zh` say why and what to do. Nothing was changed."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh
