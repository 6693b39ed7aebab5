"""The process: one thread reads lines, one does commands one after the other, one walks the rounds (reliability 5.2).

`cancel`, `status`, `journal`, `go_offline`, `go_online` and `quit` are answered at once while another command waits.
The end of the input lets the commands that wait be done first, so that a file of commands can be piped in.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from pos_app.domain.passes import NotAPassError
from pos_app.domain.trouble import Trouble
from pos_app.headless import asking, keeping, redeeming, reversing, telling
from pos_app.headless.desk import Asked, Desk
from pos_app.headless.lines import BadLineError, Command, Voice, read_line
from pos_app.headless.parameters import BadParameterError
from pos_app.headless.results import BLOCKED, OK, REFUSED, UNCLEAR, Result, of_trouble
from pos_app.headless.watching import Waited, Watch

Handler = Callable[[Desk, Asked], Result]

HANDLERS: Final[Mapping[str, Handler]] = {
    "enrol": keeping.enrol,
    "sign_in": keeping.sign_in,
    "lookup": asking.lookup,
    "check": asking.check,
    "lease": keeping.lease,
    "redeem": redeeming.redeem,
    "enter_otp": redeeming.enter_otp,
    "cancel": redeeming.cancel,
    "reverse": reversing.reverse,
    "approve": keeping.approve,
    "sync": keeping.sync,
    "status": telling.status,
    "journal": telling.journal,
    "go_offline": keeping.go_offline,
    "go_online": keeping.go_online,
}
QUIT: Final = "quit"
COMMANDS: Final = frozenset({*HANDLERS, QUIT})
AT_ONCE: Final = frozenset({"status", "journal", "go_offline", "go_online"})
NEEDS_OPERATOR: Final = frozenset({"lookup", "check", "lease", "redeem", "enter_otp", "cancel", "reverse"})
LAST_WORK_S: Final = 3.0
"""How long `quit` waits for the command that is under way before it is answered as unclear."""

ROUND_S: Final = 0.2

_log: Final = logging.getLogger(__name__)


class AtWork:
    """One headless till at work."""

    def __init__(self, desk: Desk, watch: Watch, voice: Voice) -> None:
        self._desk = desk
        self._watch = watch
        self._voice = voice
        self._queue: queue.Queue[Command | None] = queue.Queue()
        self._stopping = threading.Event()
        self._answering = threading.Lock()
        self._open: dict[int, tuple[Command, Waited]] = {}
        """Commands without an answer, by the thread that works on them."""

    def run(self, lines: Iterable[bytes]) -> int:
        """Work until `quit` or the end of the lines; returns the exit code."""
        self._watch.begin()
        worker = threading.Thread(target=self._work, daemon=True, name="commands")
        rounds = threading.Thread(target=self._walk_rounds, daemon=True, name="rounds")
        worker.start()
        rounds.start()
        has_quit = self._read(lines)
        self._queue.put(None)
        worker.join(LAST_WORK_S if has_quit else None)
        self._stopping.set()
        self._answer_the_rest()
        rounds.join(LAST_WORK_S)
        return 0

    # --- Reading ---------------------------------------------------------------------------------------------------

    def _read(self, lines: Iterable[bytes]) -> bool:
        """Hand each line on; True when `quit` was among them."""
        for line in lines:
            if not line.strip():
                continue
            try:
                command = read_line(line, COMMANDS)
            except BadLineError as wrong:
                self._voice.say("error", id=wrong.line_id, detail=str(wrong))
                continue
            if command.do == QUIT:
                self._drop_waiting()
                self._voice.say("answer", id=command.line_id, **Result(outcome=OK).members())
                return True
            if command.do in AT_ONCE:
                self._do(command)
            elif command.do == "cancel":
                threading.Thread(target=self._do, args=(command,), daemon=True, name="cancel").start()
            else:
                self._queue.put(command)
        return False

    def _drop_waiting(self) -> None:
        """Whoever quits does not wait: commands that were not begun are answered so."""
        while True:
            try:
                command = self._queue.get_nowait()
            except queue.Empty:
                return
            if command is not None:
                self._say(command, Result(outcome=BLOCKED, detail={"reason": QUIT}))

    # --- Commands --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        self._resume()
        while (command := self._queue.get()) is not None:
            self._do(command)

    def _resume(self) -> None:
        """What was under way when this till stopped: its rows count as unclear, its receipts are printed."""
        try:
            self._desk.resume()
        except Trouble as trouble:
            _log.warning("the journal could not be taken up: %s", type(trouble).__name__)
        self._desk.learn()
        self._watch.look()
        self._watch.print_found()

    def _do(self, command: Command) -> None:
        """Do one command and answer it."""
        named = command.given.get("key")
        with self._watch.waiting(named if isinstance(named, str) else None) as waited:
            me = threading.get_ident()
            with self._answering:
                self._open[me] = (command, waited)
            result = self._result(command, waited)
            if isinstance(result, Result) and result.key is not None and result.key not in waited.keys:
                waited.add(result.key)
            if command.do not in AT_ONCE:
                self._watch.look()
            with self._answering:
                if self._open.pop(me, None) is None:
                    return  # `quit` has answered it.
                self._tell(command, result)

    def _result(self, command: Command, waited: Waited) -> Result | str:
        """What came of it; a text says why its parameters cannot be used."""

        def started(key: str) -> None:
            waited.add(key)
            self._voice.say("started", id=command.line_id, key=key)

        self._desk.heard.forget()
        if command.do in NEEDS_OPERATOR and self._desk.needs_sign_in:
            return Result(outcome=BLOCKED, detail={"reason": "sign_in"})
        if command.do not in AT_ONCE and self._desk.is_line_news:
            self._desk.line_state()
        asked = Asked(line_id=command.line_id, given=command.given, started=started)
        try:
            return HANDLERS[command.do](self._desk, asked)
        except BadParameterError as wrong:
            return str(wrong)
        except NotAPassError:
            return Result(outcome=REFUSED, detail={"reason": "pass_not_read"})
        except Trouble as trouble:
            return of_trouble(trouble, key=next(iter(waited.keys), None))
        except Exception as fault:  # A fault of ours: whoever drives this till must hear of it, and it goes on.
            _log.exception("%s failed", command.do)
            result = of_trouble(fault, key=next(iter(waited.keys), None), is_redeem=bool(waited.keys))
            return Result(
                outcome=UNCLEAR if waited.keys else REFUSED, key=result.key, shown=result.shown, detail=result.detail
            )

    def _tell(self, command: Command, result: Result | str) -> None:
        if isinstance(result, str):
            self._voice.say("error", id=command.line_id, detail=result)
        else:
            self._say(command, result)

    def _say(self, command: Command, result: Result) -> None:
        self._voice.say("answer", id=command.line_id, **result.members())

    def _answer_the_rest(self) -> None:
        """Commands that are still under way when the till ends: what becomes of them is found out at the next start."""
        with self._answering:
            for command, waited in self._open.values():
                key = next(iter(waited.keys), None)
                self._say(command, Result(outcome=UNCLEAR, key=key, detail={"reason": QUIT}))
            self._open.clear()

    # --- The rounds ------------------------------------------------------------------------------------------------

    def _walk_rounds(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._desk.services.rounds.run_due():
                    self._desk.fetch_rules()
                    self._desk.learn()
                    self._watch.look()
            except Exception:  # A fault in one round must not end the next: a till goes on settling.
                _log.exception("a round failed")
            self._desk.services.clock.sleep(ROUND_S)
