"""Checks of the page: every id is unique, and every link inside the page has a target."""

from html.parser import HTMLParser

from common.errors import UserError


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            elif name == "href" and value and value.startswith("#"):
                self.targets.append(value[1:])


def check_links(html: str) -> None:
    """Raise an error for a link without a target, or for an id that occurs twice.

    Raises:
        UserError: the page has such a link or id; the line names the first one.
    """
    anchors = _Anchors()
    anchors.feed(html)
    for target in anchors.targets:
        if target not in anchors.ids:
            raise UserError(
                f"a link of the report leads to #{target}, which the report does not have; correct it in docs/theory"
            )
    for name in anchors.ids:
        if anchors.ids.count(name) > 1:
            raise UserError(f"two places of the report have the id #{name}; rename one of the headings in docs/theory")
