"""What we write, we read back as the same value, in both formats."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import wire_strategies as some

from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.wire.answers import (
    read_check_answer,
    read_code_answer,
    read_redeem_answer,
    read_status,
    write_check_answer,
    write_code_answer,
    write_redeem_answer,
    write_status,
)
from pos_app.wire.customers import read_customer, write_customers
from pos_app.wire.extension import (
    ExtensionAsk,
    extension_tree,
    read_extension,
    read_extension_header,
    read_moment,
    write_extension_header,
    write_moment,
)
from pos_app.wire.formats import Format, dump_json, parse_answer, read_query
from pos_app.wire.requests import (
    read_check,
    read_customer_get,
    read_redeem,
    read_send_code,
    write_check,
    write_customer_get,
    write_redeem,
    write_send_code,
)
from pos_app.wire.sync import (
    read_cancel,
    read_cancel_answer,
    read_capabilities,
    read_configs,
    read_program,
    write_cancel,
    write_cancel_answer,
    write_capabilities,
    write_configs,
    write_program,
)

formats = st.sampled_from(Format)
ALL = read_customer_get(write_customer_get(CustomerRef(IdentifierKind.MOBILE, "1")))


def over_the_line(params):
    """Parameters as they arrive at the server."""
    return read_query(urlencode(params))


@given(some.requests())
def test_a_check_arrives_as_it_was_asked(request):
    assert read_check(over_the_line(write_check(request))) == request


@given(some.send_codes)
def test_a_request_for_a_code_arrives(command):
    assert read_send_code(over_the_line(write_send_code(command))) == command


@given(some.redeems(), formats)
def test_a_redemption_arrives(command, fmt):
    query, body, kind = write_redeem(command, fmt)
    assert read_redeem(over_the_line(query), body, kind) == command


@given(some.customers_named.filter(lambda ref: "," not in ref.value))
def test_a_question_about_a_customer_arrives(ref):
    assert read_customer_get(over_the_line(write_customer_get(ref))) == replace(ALL, refs=(ref,))


@given(some.check_answers(), formats)
def test_the_answer_of_a_check_comes_back(answer, fmt):
    found = read_check_answer(write_check_answer(answer, fmt, with_extension=True))
    assert found == (answer if fmt is Format.JSON else replace(answer, extension=None))


@given(some.code_answers(), formats)
def test_the_answer_about_a_code_comes_back(answer, fmt):
    found = read_code_answer(write_code_answer(answer, fmt, with_extension=True))
    assert found == (answer if fmt is Format.JSON else replace(answer, extension=None))


@given(some.redeem_answers(), formats)
def test_the_answer_of_a_redemption_comes_back(answer, fmt):
    found = read_redeem_answer(write_redeem_answer(answer, fmt, with_extension=True))
    assert found == (answer if fmt is Format.JSON else replace(answer, extension=None))


@given(st.sampled_from([200, 201, 400, 401, 500]), some.texts, formats)
def test_a_status_comes_back(code, message, fmt):
    assert read_status(write_status(code, message, fmt)) == (code < 300, code, message)


@given(some.records(), formats)
def test_a_customer_comes_back(record, fmt):
    ref = CustomerRef(IdentifierKind.MOBILE, "1")
    program_id = record.wallets[0].program_id if record.wallets else None
    assert read_customer(write_customers([(ref, record)], replace(ALL, program_id=program_id), fmt)) == record


@given(some.extensions)
def test_the_extension_comes_back(extension):
    assert read_extension(parse_answer(dump_json(extension_tree(extension)))) == extension


@given(st.builds(ExtensionAsk, cashier=some.maybe(some.ids), key=some.maybe(some.keys)))
def test_the_header_arrives(ask):
    assert read_extension_header(write_extension_header(ask)) == ask


@given(some.moments)
def test_a_moment_arrives(moment):
    assert read_moment(write_moment(moment)) == moment


@given(some.cancels)
def test_a_cancel_arrives(command):
    assert read_cancel(write_cancel(command)) == command


@given(some.cancel_answers)
def test_the_answer_of_a_cancel_comes_back(answer):
    assert read_cancel_answer(write_cancel_answer(answer)) == answer


@given(some.capabilities)
def test_capabilities_come_back(capabilities):
    assert read_capabilities(write_capabilities(capabilities)) == capabilities


@given(some.programs, formats)
def test_a_program_comes_back(program, fmt):
    assert read_program(write_program(program, fmt)) == program


@given(some.organisations, formats)
def test_the_switches_of_an_organisation_come_back(organisation, fmt):
    assert read_configs(write_configs(organisation, fmt)) == organisation


@pytest.mark.parametrize("fmt", Format)
def test_nobody_comes_back_as_nobody(fmt):
    ref = CustomerRef(IdentifierKind.EMAIL, "ada@example.org")
    assert read_customer(write_customers([(ref, None)], replace(ALL, refs=(ref,)), fmt)) is None
