"""The plug in a till's line: pulled, nothing leaves and no answer is heard."""

from __future__ import annotations

import pytest

from pos_app.domain.trouble import LineDownError, UnclearAnswerError
from pos_app.gateway.parcel import Parcel
from pos_app.gateway.plug import Plug
from pos_app.gateway.replies import Reply

QUESTION = Parcel(name="check", method="GET", path="/")
MOVE = Parcel(name="redeem", method="POST", path="/", moves=True)
REPLY = Reply(status=200, body=b"{}")


class Line:
    """Carries everything; `meanwhile` happens while a parcel is on its way."""

    def __init__(self) -> None:
        self.carried: list[Parcel] = []
        self.meanwhile = lambda: None
        self.is_closed = False

    def carry(self, parcel: Parcel) -> Reply:
        self.carried.append(parcel)
        self.meanwhile()
        return REPLY

    def close(self) -> None:
        self.is_closed = True


def test_plugged_in_everything_is_carried() -> None:
    line = Line()
    plug = Plug(line)
    assert plug.is_in
    assert plug.carry(MOVE) is REPLY
    plug.close()
    assert line.is_closed


@pytest.mark.parametrize("parcel", [QUESTION, MOVE], ids=["question", "move"])
def test_pulled_out_nothing_is_sent(parcel: Parcel) -> None:
    line = Line()
    plug = Plug(line)
    plug.pull()
    with pytest.raises(LineDownError):
        plug.carry(parcel)
    assert line.carried == []
    plug.put_in()
    assert plug.carry(parcel) is REPLY


@pytest.mark.parametrize(("parcel", "trouble"), [(QUESTION, LineDownError), (MOVE, UnclearAnswerError)])
def test_an_answer_that_comes_after_the_plug_was_pulled_is_lost(parcel: Parcel, trouble: type[Exception]) -> None:
    line = Line()
    plug = Plug(line)

    def pulled_and_put_in() -> None:
        plug.pull()
        plug.put_in()

    for happens in (plug.pull, pulled_and_put_in):
        plug.put_in()
        line.meanwhile = happens
        with pytest.raises(trouble):
            plug.carry(parcel)
