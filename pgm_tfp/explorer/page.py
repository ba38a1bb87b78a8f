"""The page of a network, built with NiceGUI.

Each visitor has a view of their own: nothing that one does shows up at another's.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import zip_longest
from typing import Any

from nicegui import events, run, ui

from common.errors import UserError
from common.names import printable
from common.page_parts import Newest, heading, uploader
from common.quiet import import_quietly
from pgm_tfp.approximate import MeanField
from pgm_tfp.catalogue import NETWORKS, server_room_thermal
from pgm_tfp.exact import Network
from pgm_tfp.explorer.drawing import CLICKED, Drawing, message
from pgm_tfp.explorer.situation import (
    ExactPosterior,
    Relation,
    Situation,
    check_size,
    exact_answer,
    first_pair,
    mean_field_answer,
    most_probable,
    relation,
)
from pgm_tfp.network_files import network_in
from pgm_tfp.network_svg import STYLE as NETWORK_STYLE
from pgm_tfp.notation import written
from pgm_tfp.pgmpy_models import READERS


def thermal() -> Network:
    """The server room with its temperature, whose densities need TensorFlow Probability."""
    import_quietly("tensorflow", "tensorflow_probability")
    return server_room_thermal()


SHOWN_NETWORKS: dict[str, Callable[[], Network]] = {**NETWORKS, "server_room_thermal": thermal}
ABOUT = {
    "server_room": "O: the door stays open. A: the air conditioning fails. T: it is too hot. M: a message is received. "
    "S: the siren sounds.",
    "server_room_thermal": "O: the door stays open. A: the air conditioning fails. C: the temperature in degrees. "
    "R: a sensor's reading. L: the servers' latency in milliseconds. M: a message. S: the siren.",
}
RULE = (
    "A trail is a path that ignores the directions of the arrows. An observed variable blocks it. A collider, at which "
    "two arrows meet, does the opposite: it blocks unless it, or a descendant of it, is observed."
)
SETS, OBSERVES = "set, do()", "observe"
STYLE = (
    NETWORK_STYLE
    + """
.room { display: grid; gap: 1rem 2rem; width: 100%; grid-template-columns: minmax(0, 1fr) 24rem; }
.room > section { min-width: 0; }
@media (max-width: 60rem) { .room { grid-template-columns: minmax(0, 1fr); } }
.canvas { overflow: auto; max-height: 82vh; border: 1px solid #8884; border-radius: 0.5rem; }
.network { display: block; margin: 0 auto; }
.whole .network { min-width: 0 !important; width: 100% !important; }
.states { max-height: 14rem; overflow: auto; }
.network .name { font-weight: 600; }
.network .row[data-state] { cursor: pointer; }
.network .row:focus { outline: none; }
.network .target { fill: transparent; }
.network .row[data-state]:hover .target, .network .row:focus-visible .target { fill: #5898d433; }
.network .track { fill: #8883; }
.network .bar { fill: #4f81bd; transition: width 0.25s; }
.network .approximate { fill: #c2410c; transition: transform 0.25s; }
.network .chosen .bar { fill: #55606e; }
.network .chosen text { font-weight: 700; }
.network .best .track { stroke: #c2410c; stroke-width: 1.6; stroke-dasharray: 3 2; }
.network .before { fill: #8884; }
.network .curve { fill: #4f81bd99; stroke: #4f81bd; stroke-width: 1.4; }
.network .seen.box { fill: #c9ced6; }
.network .done.box { fill: #c9ced6; stroke-width: 3; stroke-dasharray: 6 3; }
.network .cut { opacity: 0.25; }
.network .active.box { stroke: #1f5a99; stroke-width: 3.4; }
.network .blocked.box { stroke: #c2410c; stroke-width: 2; }
.network .blocking.box { stroke: #c2410c; stroke-width: 5; }
.network .active .line { stroke: #1f5a99; stroke-width: 4; }
.network .active .head { fill: #1f5a99; }
.network .blocked .line { stroke: #c2410c; stroke-width: 4; }
.network .blocked .head { fill: #c2410c; }
.body--dark .network .box { fill: #2a2f37; stroke: #9aa5b4; }
.body--dark .network .seen.box, .body--dark .network .done.box { fill: #4a5260; }
.body--dark .network .line { stroke: #9aa5b4; }
.body--dark .network .head { fill: #9aa5b4; }
.body--dark .network .chosen .bar { fill: #b9c2ce; }
.body--dark .network .active.box, .body--dark .network .active .line { stroke: #7db3ea; }
.body--dark .network .active .head { fill: #7db3ea; }
.body--dark .network .blocked.box, .body--dark .network .blocking.box, .body--dark .network .blocked .line {
  stroke: #f0864a; }
.body--dark .network .blocked .head, .body--dark .network .approximate { fill: #f0864a; }
button.way { display: block; width: 100%; text-align: left; padding: 0.35rem 0.6rem; margin-top: 0.3rem; font: inherit;
  color: inherit; background: none; border: 1px solid #8886; border-left: 6px solid; border-radius: 0.3rem;
  cursor: pointer; }
button.way.active { border-left-color: #1f5a99; }
button.way.blocked { border-left-color: #c2410c; }
button.way.lit { background: #8883; }
.way .trail { font-weight: 600; }
"""
)


class NetworkView:
    """What one visitor sees of a network.

    Args:
        network: the first network, its name below it.
    """

    def __init__(self, network: Network, name: str = "server_room"):
        self.situation = self.answered = Situation(network)
        self.name = name
        self.drawings, self.changes = 0, 0
        self.lit = 0
        self.fields: dict[str, ui.number] = {}
        self.relation = Relation("", [])
        self.newest = Newest(self._answer)

    def build(self) -> None:
        """Lay out the page."""
        ui.add_css(STYLE)
        with ui.element("main").classes("room"):
            with ui.element("section").props('aria-label="network"'):
                self.about = ui.label().classes("text-sm").props('id="about"')
                self.canvas = ui.element("div").classes("canvas").props('id="canvas" tabindex="0" aria-label="drawing"')
                for kind in ("click", "keydown"):
                    self.canvas.on(kind, self._clicked, js_handler=CLICKED)
                self.whole = ui.switch("the whole network at once", on_change=self._fit).props('id="whole"')
                ui.label(
                    "Click a state to observe it; click it again to release it. Bars: exact posteriors. Red mark: mean "
                    "field. Grey box: observed. Dashed box: set by do()."
                ).classes("text-sm")
            with ui.element("section").props('aria-label="questions"'):
                self._panel()
        self._load(self.situation.network, self.name)

    def _panel(self) -> None:
        """What the visitor can choose and ask."""
        self.mode = ui.toggle([OBSERVES, SETS], value=OBSERVES).props('id="mode" aria-label="a click on a state"')
        self.fixed = ui.row().classes("gap-1 items-center").props('id="fixed"')
        self.evidence = ui.label().classes("text-sm").props('role="status" id="evidence"')
        self.numbers = ui.column().classes("w-full gap-1").props('id="numbers"')
        heading("Do two variables depend on each other?")
        with ui.row().classes("w-full no-wrap items-center"):
            self.first = ui.select([], label="variable", on_change=self._ask).classes("grow").props('id="first"')
            self.second = ui.select([], label="and", on_change=self._ask).classes("grow").props('id="second"')
        self.verdict = ui.label().props('role="status" id="verdict"')
        self.rule = ui.label(RULE).classes("text-sm")
        self.ways = ui.column().classes("w-full gap-0").props('id="ways"')
        heading("Other answers")
        self.with_mean_field = ui.switch("mean field beside exact", value=True, on_change=self._ask)
        self.approximate = ui.label().classes("text-sm").props('id="approximate"')
        self.with_explanation = ui.switch("most probable explanation", value=False, on_change=self._ask)
        self.explanation = ui.label().classes("text-sm states").props('id="explanation" tabindex="0"')
        heading("Another network")
        self.chosen = ui.select(
            _options(self.name),
            value=self.name,
            label="network",
            on_change=self._choose,
        )
        self.chosen.classes("w-full").props('id="chosen"')
        self.uploader = uploader(
            f"or a file: {', '.join(READERS)}", "choose a file with a network", "network-file", self._upload
        )

    def _load(self, network: Network, name: str) -> None:
        """Show another network, with nothing observed.

        Raises:
            UserError: the network is too large for the page.
        """
        check_size(network, name)
        before = exact_answer(Situation(network))
        self.situation = self.answered = Situation(network)
        self.name, self.lit = name, 0
        self.drawing = Drawing(network, before)
        self.drawings += 1
        self.about.text = ABOUT.get(name, f"{printable(name)}: {len(network.graph)} variables.")
        self.canvas.clear()
        with self.canvas:
            # All names in the drawing are escaped.
            ui.html(self.drawing.svg(), sanitize=False).props(f"data-drawing={self.drawings}")
        names = {at: printable(variable) for at, variable in enumerate(self.drawing.names)}
        pair = [self.drawing.names.index(variable) for variable in first_pair(network.graph)]
        for select, place in zip_longest((self.first, self.second), pair):
            select.set_options(names, value=place)
        self.mode.set_value(OBSERVES)
        directed = network.graph.is_directed()
        self.mode.set_enabled(directed)
        self.rule.text = RULE if directed else "Observed variables separate two others if they cut every path."
        self._number_fields()
        self.relation = Relation("", [])
        self._show(self.situation, before, None, {}, {})

    def _number_fields(self) -> None:
        """A field for the value of each continuous variable."""
        self.numbers.clear()
        self.fields.clear()
        with self.numbers:
            for name in self.situation.continuous:
                curve = self.drawing.before.curves[name]
                low, high = curve.mean() - 6 * curve.std(), curve.mean() + 6 * curve.std()
                field = ui.number(
                    f"{name}, from {low:.0f} to {high:.0f}",
                    min=round(low),
                    max=round(high),
                    on_change=partial(self._number, name),
                )
                field.classes("w-full").props("clearable debounce=400")
                self.fields[name] = field

    async def _clicked(self, event: events.GenericEventArguments) -> None:
        variable, state = event.args
        names = self.drawing.names
        if isinstance(variable, int) and 0 <= variable < len(names):
            states = self.situation.network.states.get(names[variable], ())
            if isinstance(state, int) and 0 <= state < len(states):
                doing = self.mode.value == SETS
                await self._change(self.situation.toggled(names[variable], states[state], doing))

    async def _number(self, name: str, event: events.ValueChangeEventArguments[Any]) -> None:
        field = self.fields[name]
        if event.value is None:
            await self._change(self.situation.released(name))
        elif field.min <= event.value <= field.max:  # the field itself moves other values into its range
            fixed = {**self.situation.seen, **self.situation.done}
            if fixed.get(name) != event.value:
                await self._change(self.situation.toggled(name, float(event.value), self.mode.value == SETS))

    async def _change(self, situation: Situation) -> None:
        self.situation = situation
        await self.newest.ask()

    async def _ask(self) -> None:
        await self.newest.ask()

    async def _answer(self) -> None:
        """Compute and show what the visitor wants to know now; take back findings that are impossible."""
        situation, notes = self.situation, {"approximate": "", "explanation": ""}
        try:
            answer = await run.io_bound(exact_answer, situation)
        except UserError as reason:
            ui.notify(str(reason), type="negative", multi_line=True)
            self.situation = self.answered
            self.newest.asked += 1  # the answers to that situation are shown again
            return
        if answer is None:  # the server ends
            return
        self.answered = situation
        self.relation = await self._related(situation)
        explanation: dict[str, Any] = {}
        if self.with_explanation.value:
            explanation, notes["explanation"] = await self._explained(situation)
        self._show(situation, answer, None, explanation, notes)
        if self.with_mean_field.value:
            approximate, notes["approximate"] = await self._approximated(situation, answer)
            if situation == self.situation:  # otherwise, the answers to another one are on their way
                self._show(situation, answer, approximate, explanation, notes)

    async def _related(self, situation: Situation) -> Relation:
        names = self.drawing.names
        if self.first.value is None or self.second.value is None:
            return Relation("", [])
        found = await run.io_bound(relation, situation, names[self.first.value], names[self.second.value])
        return found or Relation("", [])

    async def _explained(self, situation: Situation) -> tuple[dict[str, Any], str]:
        try:
            found = await run.io_bound(most_probable, situation)
        except UserError as reason:
            return {}, str(reason)
        if found is None:
            return {}, ""
        states, nats = found
        return states, f"{printable(written(states))}: log probability {nats:.4f} nats. Dashed frames show it."

    async def _approximated(self, situation: Situation, answer: ExactPosterior) -> tuple[MeanField | None, str]:
        try:
            found = await run.io_bound(mean_field_answer, situation)
        except UserError as reason:
            return None, str(reason)
        if found is None:
            return None, ""
        text = f"ELBO {found.elbo:.4f} nats, {answer.log_evidence - found.elbo:.4f} below the log evidence."
        if not found.converged:
            text += " Its starts reached different maxima, so a better one may exist."
        return found, text

    def _show(
        self,
        situation: Situation,
        answer: ExactPosterior,
        approximate: MeanField | None,
        explanation: dict[str, Any],
        notes: Mapping[str, str],
    ) -> None:
        """Show answers in the drawing and beside it."""
        self.lit = min(self.lit, max(len(self.relation.ways) - 1, 0))
        way = self.relation.ways[self.lit] if self.relation.ways else None
        self.changes += 1
        change = self.drawing.change(situation, answer, approximate, explanation, way)
        ui.run_javascript(message(change, self.drawings, self.changes))
        self.approximate.text, self.explanation.text = notes.get("approximate", ""), notes.get("explanation", "")
        off = f" The numbers may be off by a share of {answer.error:.1g}." if answer.error > 1e-6 else ""
        self.evidence.text = (
            f"log p({printable(written(situation.seen))}) = {answer.log_evidence:.4f} nats.{off}"
            if situation.seen
            else "Nothing is observed."
        )
        self._show_fixed(situation)
        self._show_ways()

    def _show_fixed(self, situation: Situation) -> None:
        """A button for each finding and intervention, which releases it."""
        self.fixed.clear()
        with self.fixed:
            for name, value in {**situation.seen, **situation.done}.items():
                text = printable(written({name: value}))
                text = f"do({text})" if name in situation.done else text
                ui.button(text, icon="close", on_click=partial(self._release, name)).props(
                    "flat dense no-caps size=sm"
                ).props["aria-label"] = f"release {text}"

    async def _release(self, name: str) -> None:
        if name in self.fields:
            self.fields[name].set_value(None)  # which releases it
        else:
            await self._change(self.situation.released(name))

    def _fit(self, event: events.ValueChangeEventArguments[bool | None]) -> None:
        """Show a large network as a whole, or in its own size."""
        self.canvas.classes(**{"add" if event.value else "remove": "whole"})

    def _show_ways(self) -> None:
        """The trails between the two chosen variables, each with its reason; a click lights one."""
        self.verdict.text = printable(self.relation.verdict)
        self.ways.clear()
        with self.ways:
            for number, way in enumerate(self.relation.ways):
                kinds = f"way {'active' if way.active else 'blocked'}{' lit' if number == self.lit else ''}"
                with ui.element("button").classes(kinds) as button:
                    ui.label(printable(way.text)).classes("trail")
                    ui.label(printable(way.reason)).classes("text-sm")
                button.on("click", partial(self._light, number))

    async def _light(self, number: int) -> None:
        self.lit = number
        await self.newest.ask()
        if number < len(self.relation.ways):
            place = self.drawing.names.index(self.relation.ways[number].nodes[0])
            ui.run_javascript(f'document.getElementById("box-{place}").scrollIntoView({{block: "nearest"}})')

    async def _choose(self, event: events.ValueChangeEventArguments[str]) -> None:
        if event.value and event.value != self.name:
            await self._replace(partial(SHOWN_NETWORKS[event.value]), event.value)

    async def _upload(self, event: events.UploadEventArguments) -> None:
        content = await event.file.read()
        self.uploader.reset()
        name = printable(event.file.name)
        await self._replace(partial(network_in, content, name), name)

    async def _replace(self, read: Callable[[], Network], name: str) -> None:
        """Show another network; if it cannot be read or is too large, say why and keep the present one."""
        waiting = ui.notification(f"reading {name}", spinner=True, timeout=None)
        try:
            network = await run.io_bound(_checked, read, name)
            if network is not None:
                self._load(network, name)
        except UserError as reason:
            ui.notify(str(reason), type="negative", multi_line=True)
        finally:
            waiting.dismiss()
        self.chosen.set_options(_options(self.name), value=self.name)
        await self.newest.ask()


def _options(name: str) -> dict[str, str]:
    """The networks to choose from, and the present one."""
    return {known: known.replace("_", " ") for known in SHOWN_NETWORKS} | {name: printable(name).replace("_", " ")}


def _checked(read: Callable[[], Network], name: str) -> Network:
    network = read()
    check_size(network, name)
    exact_answer(Situation(network))  # slow the first time, so it is done outside of the page's own thread
    return network
