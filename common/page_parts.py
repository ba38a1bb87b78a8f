"""Parts that the pages of faces and of networks share, built with NiceGUI."""

from collections.abc import Awaitable, Callable, Mapping

from nicegui import events, ui

MOST_UPLOADED = 30_000_000  # bytes
# Quasar gives the button of an upload no name for screen readers.
NAME_UPLOAD = """document.querySelectorAll("#%s input, #%s [role=button]").forEach(
    (control) => control.setAttribute("aria-label", "%s"));"""


class Newest:
    """Does some work for the newest request; while it works, further requests only replace the one that waits.

    So no stale request waits in a queue.

    Args:
        work: does it, for what is wanted when it begins.
    """

    def __init__(self, work: Callable[[], Awaitable[None]]):
        self.work = work
        self.asked, self.busy = 0, False

    def repeat(self) -> None:
        """While the work goes on: have it done once more."""
        self.asked += 1

    async def ask(self) -> None:
        """Do the work, or have it done again after the work that is going on."""
        self.repeat()
        if self.busy:
            return
        self.busy = True
        done = 0
        try:
            while done != self.asked:
                done = self.asked
                await self.work()
        finally:
            self.busy = False


def heading(text: str) -> None:
    """A heading of a part of the page."""
    ui.label(text).classes("text-lg mt-2").props('role="heading" aria-level="2"')


def uploader(
    label: str, named: str, identity: str, on_upload: Callable[[events.UploadEventArguments], Awaitable[None]]
) -> ui.upload:
    """A place to drop a file of at most 30 MB, or to choose one.

    Args:
        label: says which files.
        named: what the button does, for screen readers.
        identity: the id of the element.
    """
    made = ui.upload(
        label=label,
        auto_upload=True,
        max_file_size=MOST_UPLOADED,
        on_upload=on_upload,
        on_rejected=lambda: ui.notify(f"files have at most {MOST_UPLOADED // 10**6} MB", type="negative"),
    )
    made.classes("w-full").props(f"id={identity}")
    ui.run_javascript(NAME_UPLOAD % (identity, identity, named))
    return made


def tabbed(pages: Mapping[str, Callable[[], None]]) -> None:
    """Pages under tabs, by name the function that lays each one out. What is on a page stays while another shows."""
    boxes: dict[str, ui.element] = {}

    def show(event: events.ValueChangeEventArguments) -> None:
        for name, box in boxes.items():
            box.visible = name == event.value

    first = next(iter(pages))
    with ui.tabs(on_change=show).classes("w-full") as tabs:
        for name in pages:
            ui.tab(name)
    for name, build in pages.items():
        with ui.element("div").classes("w-full") as boxes[name]:
            build()
    tabs.set_value(first)
