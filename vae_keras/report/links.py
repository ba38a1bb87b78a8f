"""Does the page hold together: every id once, every link inside it with a target."""

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
    """Refuse a page with a link that leads nowhere, or to two places.

    Raises:
        UserError: naming the first such link.
    """
    anchors = _Anchors()
    anchors.feed(html)
    for target in anchors.targets:
        if target not in anchors.ids:
            raise UserError(f"a link of the report leads to #{target}, which is not in it; mend the page it is on")
    for name in anchors.ids:
        if anchors.ids.count(name) > 1:
            raise UserError(f"two places of the report are called #{name}; rename a heading of the theory pages")
