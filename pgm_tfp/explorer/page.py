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
from pgm_tfp.catalogue import NETWORKS, server_room_thermal
from pgm_tfp.exact import Network
from pgm_tfp.explorer.drawing import CLICKED, Drawing, message
from pgm_tfp.explorer.hybrid import ExactPosterior
from pgm_tfp.explorer.situation import (
    Relation,
    Situation,
    Way,
    exact_answer,
    first_pair,
    mean_field_answer,
    most_probable,
    opened,
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
        network: the network to show first.
        before: its answer with nothing observed.
        name: its name.
    """

    def __init__(self, network: Network, before: ExactPosterior, name: str = "server_room"):
        self.situation = self.answered = Situation(network)
        self.before, self.name = before, name
        self.drawings, self.changes, self.wanted = 0, 0, 0
        self.lit: tuple[str, ...] = ()  # the nodes of the trail that is lit, or of one that is no longer listed
        self.fields: dict[str, ui.number] = {}
        self.relation = Relation("", [])
        self.newest = Newest(self._answer)
        self.newest_mean_field = Newest(self._approximate)  # slower, so that no exact answer waits for it

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
        self._load(self.situation.network, self.before, self.name)

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

    def _load(self, network: Network, before: ExactPosterior, name: str) -> None:
        """Show another network, with nothing observed; `before` is its answer then."""
        self.situation = self.answered = Situation(network)
        self.name, self.lit = name, ()
        self.drawing = Drawing(network, before)
        self.drawings += 1
        count = f"{len(network.graph)} variable{'s' if len(network.graph) != 1 else ''}"
        self.about.text = ABOUT.get(name, f"{printable(name)}: {count}.")
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
        self._show(self.situation, before, {})

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
        drawing, variable, state = event.args
        names = self.drawing.names
        if drawing == self.drawings and isinstance(variable, int) and 0 <= variable < len(names):
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
        await self._ask()

    async def _ask(self) -> None:
        await self.newest.ask()
        await self.newest_mean_field.ask()

    def _gone(self, drawing: Drawing) -> bool:
        """Whether the visitor has left, or looks at another network than this drawing's."""
        return self.canvas.is_deleted or drawing is not self.drawing

    async def _answer(self) -> None:
        """Compute and show the exact answers that the visitor wants now; take back findings that are impossible."""
        situation, drawing = self.situation, self.drawing
        pair = [drawing.names[select.value] for select in (self.first, self.second) if select.value is not None]
        explanation: dict[str, Any] = {}
        note = ""
        try:
            answer = await run.io_bound(exact_answer, situation)
        except UserError as reason:
            if self._gone(drawing):
                return
            ui.notify(str(reason), type="negative", multi_line=True)
            if self.situation is situation:  # the visitor has not changed it meanwhile
                self.situation = self.answered
                self.newest.repeat()  # its answers are shown again
            return
        related = await run.io_bound(relation, situation, *pair) if len(pair) == 2 else Relation("", [])
        if self.with_explanation.value:
            explanation, note = await self._explained(situation)
        if answer is None or related is None or self._gone(drawing):  # None: the server ends
            return
        self.answered, self.relation = situation, related
        self.explanation.text = note
        self._show(situation, answer, explanation)

    async def _explained(self, situation: Situation) -> tuple[dict[str, Any], str]:
        try:
            found = await run.io_bound(most_probable, situation)
        except UserError as reason:
            return {}, str(reason)
        if found is None:
            return {}, ""
        states, nats = found
        return states, f"{printable(written(states))}: log probability {nats:.4f} nats. Dashed frames show it."

    async def _approximate(self) -> None:
        """Compute and show mean field for the findings whose exact answers are shown."""
        situation, drawing = self.answered, self.drawing
        found, text = None, ""
        if self.with_mean_field.value:
            try:
                found = await run.io_bound(mean_field_answer, situation)
            except UserError as reason:
                text = str(reason)
        if self._gone(drawing) or situation is not self.answered:
            return
        if found:
            text = f"ELBO {found.elbo:.4f} nats, {self.log_evidence - found.elbo:.4f} below the log evidence."
            if not found.converged:
                text += " It has not converged: no second start has confirmed it, so a better one may exist."
        self.approximate.text = text
        self._send(drawing.marks(found))

    def _send(self, change: Mapping[str, Any]) -> None:
        """Show a change in the drawing."""
        self.changes += 1
        ui.run_javascript(message(change, self.drawings, self.changes))

    def _show(self, situation: Situation, answer: ExactPosterior, explanation: Mapping[str, Any]) -> None:
        """Show exact answers in the drawing and beside it."""
        self.log_evidence = answer.log_evidence
        ways = self.relation.ways
        way = next((one for one in ways if one.nodes == self.lit), ways[0] if ways else None)
        self._send(self.drawing.change(situation, answer, explanation, way))
        if situation.seen:
            off = f" The numbers may be wrong by about {answer.error:.1g} of their size." if answer.error > 1e-6 else ""
            self.evidence.text = f"log p({printable(situation.in_words())}) = {answer.log_evidence:.4f} nats.{off}"
        else:
            self.evidence.text = "Nothing is observed."
        self._show_fixed(situation)
        self._show_ways(way)

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

    def _show_ways(self, lit: Way | None) -> None:
        """The trails between the two chosen variables, each with its reason; a click lights one."""
        self.verdict.text = printable(self.relation.verdict)
        self.ways.clear()
        with self.ways:
            for way in self.relation.ways:
                kinds = f"way {'active' if way.active else 'blocked'}{' lit' if way is lit else ''}"
                with ui.element("button").classes(kinds) as button:
                    ui.label(printable(way.text)).classes("trail")
                    ui.label(printable(way.reason)).classes("text-sm")
                button.on("click", partial(self._light, way.nodes))

    async def _light(self, nodes: tuple[str, ...]) -> None:
        self.lit = nodes
        await self._ask()
        if not self.canvas.is_deleted and nodes[0] in self.drawing.names:  # it may be another network's by now
            place = self.drawing.names.index(nodes[0])
            ui.run_javascript(f'document.getElementById("box-{place}")?.scrollIntoView({{block: "nearest"}})')

    async def _choose(self, event: events.ValueChangeEventArguments[str]) -> None:
        if event.value == self.name:
            self.wanted += 1  # so that no other network that is still being read takes its place
        elif event.value:
            await self._replace(SHOWN_NETWORKS[event.value], event.value)

    async def _upload(self, event: events.UploadEventArguments) -> None:
        content = await event.file.read()
        self.uploader.reset()
        name = printable(event.file.name)
        await self._replace(partial(network_in, content, name), name)

    async def _replace(self, read: Callable[[], Network], name: str) -> None:
        """Show another network; if it cannot be read or is too large, say why and keep the present one."""
        self.wanted += 1
        mine = self.wanted
        waiting = ui.notification(f"reading {name}", spinner=True, timeout=None)
        found, refusal = None, ""
        try:
            found = await run.io_bound(_read, read, name)
        except UserError as reason:
            refusal = str(reason)
        if self.canvas.is_deleted:
            return
        waiting.dismiss()
        if mine != self.wanted:  # the visitor wants another one by now
            return
        if refusal:
            ui.notify(refusal, type="negative", multi_line=True)
        if found:
            self._load(*found, name)
        self.chosen.set_options(_options(self.name), value=self.name)
        await self._ask()


def _options(name: str) -> dict[str, str]:
    """The networks to choose from, and the present one."""
    return {known: known.replace("_", " ") for known in SHOWN_NETWORKS} | {name: printable(name).replace("_", " ")}


def _read(read: Callable[[], Network], name: str) -> tuple[Network, ExactPosterior]:
    """A network and its answer with nothing observed, which is slow the first time."""
    try:
        network = read()
    except MemoryError:
        raise UserError(f"{name} takes more memory than there is") from None
    return network, opened(network, name)
