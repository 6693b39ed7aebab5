"""Random domain values as they may travel, for round trips through the wire."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from pos_app.domain.answers import (
    CancelAnswer,
    CancelOutcome,
    Capabilities,
    CheckAnswer,
    CodeAnswer,
    CodeView,
    Effect,
    Extension,
    Identity,
    RedeemAnswer,
    Share,
    TillInfo,
    WalletView,
)
from pos_app.domain.commands import Cancel, CancelReason, Redeem, SendCode
from pos_app.domain.facts import (
    Ceiling,
    CeilingPeriod,
    Criteria,
    Customer,
    CustomerRecord,
    FamilyGroup,
    Lot,
    Member,
    Organisation,
    Program,
    ProgramGroupRule,
    Wallet,
)
from pos_app.domain.keys import key_from
from pos_app.domain.money import Rounding
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    ID_MAX,
    AskedPoints,
    AskedValue,
    CustomerRef,
    FamilyGroupRef,
    IdentifierKind,
    MemberSource,
    PrimaryKind,
    RedemptionRequest,
    ValidationType,
)
from pos_app.wire.codes import YES_CODES, Endpoint, code_for, refusal_for

# --- Single values ---

texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=20)
"""Anything a name or message may hold; control characters never travel."""

words = texts.map(str.strip).filter(lambda text: text not in ("", "null"))
"""What a parameter may hold: not empty, no spaces around it, not the word that means "not given"."""

codes = words.filter(lambda text: text.lower() not in ("true", "false"))
ids = st.integers(1, ID_MAX)
points = st.integers(0, 10**12).map(Points)
some_points = st.integers(1, 10**12).map(Points)
money = st.decimals(0, 10**9, places=2)
some_money = st.decimals("0.01", 10**9, places=2)
ratios = st.decimals("0.0000000001", 1000, places=10)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
keys = st.binary(min_size=16, max_size=16).map(key_from)


def maybe(strategy):
    """A value or None."""
    return st.none() | strategy


# --- Requests ---

customers_named = st.builds(CustomerRef, st.sampled_from(IdentifierKind), words)

_primaries = st.tuples(st.sampled_from(PrimaryKind), words) | st.just((None, None))


@st.composite
def family_group_refs(draw):
    """A family group by one or more routes, or the default one."""
    kind, value = draw(_primaries)
    source = draw(st.sampled_from(MemberSource))
    account = draw(words if source is MemberSource.WECHAT else maybe(words))
    found = FamilyGroupRef(
        group_id=draw(maybe(ids)),
        external_id=draw(maybe(words)),
        primary_user_id=draw(maybe(ids)),
        primary_kind=kind,
        primary_value=value,
        source=source,
        account_id=account,
    )
    return found if found.is_explicit else FamilyGroupRef(use_default=True)


asked_amounts = st.builds(AskedPoints, some_points) | st.builds(AskedValue, some_money)


@st.composite
def requests(draw, amounts=asked_amounts, issues=True):
    """A question that makes sense: a program group or a family group, INVALID only beside skipping."""
    family_group = draw(maybe(family_group_refs()))
    skips = draw(st.booleans())
    kinds = [None, *ValidationType] if skips else [None, ValidationType.SMS, ValidationType.MISSED_CALL]
    return RedemptionRequest(
        customer=draw(customers_named),
        amount=draw(amounts),
        program_id=draw(maybe(ids)),
        program_group=family_group is None and draw(st.booleans()),
        family_group=family_group,
        issue_otp=issues and draw(st.booleans()),
        validation_code=draw(maybe(codes)),
        skip_validation=skips,
        validation_type=draw(st.sampled_from(kinds)),
    )


send_codes = st.builds(SendCode, customer=customers_named, points=maybe(some_points))


@st.composite
def redeems(draw):
    """A redemption that names one customer in one or more ways, in the order in which the first wins."""
    request = draw(requests(amounts=st.builds(AskedPoints, some_points), issues=False))
    later = list(IdentifierKind)[list(IdentifierKind).index(request.customer.kind) + 1 :]
    others = draw(st.lists(st.sampled_from(later), unique=True).map(sorted_by(later))) if later else []
    moment = draw(maybe(moments))
    return Redeem(
        request=request,
        key=draw(maybe(keys)),
        bill_number=draw(maybe(words)),
        also_named=tuple(CustomerRef(kind, draw(words)) for kind in others),
        redemption_time=None if moment is None else moment.replace(microsecond=0),
        till_id=draw(maybe(words)),
        notes=draw(maybe(words)),
    )


def sorted_by(order):
    """Sort a list into the order of another."""
    return lambda kinds: sorted(kinds, key=order.index)


cancels = st.builds(Cancel, key=keys, reason=st.sampled_from(CancelReason), cashier=maybe(ids))

# --- Answers ---

identities = st.builds(Identity, mobile=texts, email=texts, external_id=texts)
wallet_views = st.builds(
    WalletView,
    wallet_id=maybe(st.integers(1, 10**12)),
    version=st.integers(0, 10**6),
    balance=points,
    available=points,
    held_offline=points,
    held_until=maybe(moments),
    held_store=maybe(words),
)
code_views = st.builds(
    CodeView,
    otp_id=st.integers(1, 10**12),
    sent_at=moments,
    expires_at=moments,
    channel=texts,
    covers_points=maybe(some_points),
    tries_left=st.integers(0, 5),
)
shares = st.builds(
    Share, wallet_id=st.integers(1, 10**12), lot_id=st.integers(1, 10**12), points=points, expires_on=maybe(days)
)
extensions = st.builds(
    Extension,
    epoch=st.integers(0, 10**6),
    server_time=moments,
    key=maybe(keys),
    replayed=st.booleans(),
    reason=maybe(st.sampled_from(["member_blocked", "code_wrong", "held_offline"])),
    refusals=st.lists(st.integers(1, 99999), max_size=4).map(tuple),
    nearest=st.lists(points, max_size=2).map(tuple),
    wallet=maybe(wallet_views),
    customer_id=maybe(st.integers(1, 10**12)),
    otp=maybe(code_views),
    breakdown=st.lists(shares, max_size=3).map(tuple),
)


@st.composite
def outcomes(draw, endpoint):
    """A code, its refusal (None for a yes) and any message, as they belong together at an endpoint."""
    refusal = draw(maybe(st.sampled_from(Refusal)))
    code = YES_CODES[endpoint] if refusal is None else code_for(endpoint, refusal)
    if refusal is not None:
        refusal = refusal_for(endpoint, code)  # Where one number says two things, the more common one.
    if endpoint is Endpoint.ISREDEEMABLE and refusal is None:
        code = draw(st.sampled_from([800, 876]))
    return {"refusal": refusal, "code": code, "message": draw(texts)}


@st.composite
def check_answers(draw):
    """Any answer of isredeemable."""
    return CheckAnswer(
        identity=draw(identities),
        points=draw(points),
        worth=draw(money),
        local_worth=draw(money),
        by_value=draw(st.booleans()),
        ratio=draw(st.just(Decimal(0)) | ratios),
        extension=draw(maybe(extensions)),
        **draw(outcomes(Endpoint.ISREDEEMABLE)),
    )


@st.composite
def code_answers(draw):
    """Any answer of validationcode."""
    return CodeAnswer(
        identity=draw(identities),
        points=draw(points),
        extension=draw(maybe(extensions)),
        **draw(outcomes(Endpoint.VALIDATIONCODE)),
    )


effects = st.builds(Effect, effect_id=st.integers(1, 10**12), points=some_points, worth=money, bill_number=texts)


@st.composite
def redeem_answers(draw):
    """Any answer of redeem; a refusal names no redemption and no customer."""
    outcome = draw(outcomes(Endpoint.REDEEM))
    is_yes = outcome["refusal"] is None
    return RedeemAnswer(
        identity=draw(identities),
        customer_id=draw(maybe(ids)) if is_yes else None,
        redemption_id=draw(words) if is_yes else None,
        points=draw(points),
        worth=draw(money),
        local_worth=draw(money),
        balance=draw(points),
        effects=tuple(draw(st.lists(effects, max_size=3))) if is_yes else (),
        is_group_redemption=draw(st.booleans()),
        extension=draw(maybe(extensions)),
        **outcome,
    )


cancel_answers = st.builds(
    CancelAnswer,
    key=keys,
    outcome=st.sampled_from(CancelOutcome),
    redemption_id=maybe(words),
    reversal_id=maybe(words),
    server_time=maybe(moments),
    wallet=maybe(wallet_views),
)
tills = st.builds(
    TillInfo,
    login=words,
    store=words,
    name=texts,
    program_id=maybe(ids),
    currency=st.sampled_from(["INR", "EUR"]),
    currency_rate=st.decimals("0.0001", 1000, places=4),
    state=st.sampled_from(["ACTIVE", "LOST", "FROZEN", "DISABLED"]),
    till_epoch=st.integers(0, 9),
)
capabilities = st.builds(
    Capabilities,
    service=words,
    version=texts,
    epoch=st.integers(0, 10**6),
    server_time=moments,
    has_extension=st.just(True),
    idempotent_redeem=st.booleans(),
    features=st.frozensets(words, max_size=4),
    till=maybe(tills),
)

# --- What is known of a customer, a program, an organisation ---


@st.composite
def records(draw):
    """A customer as `customer/get` can tell of her: lots that expire, figures that agree."""
    customer_id = draw(ids)
    purchases = draw(money)
    programs = draw(st.lists(told_programs, max_size=3, unique_by=lambda program: program.program_id))
    default = draw(maybe(st.sampled_from(programs))) if programs else None
    programs = [replace_default(program, program is default) for program in programs]
    wallets = [draw(_wallets(program.program_id, purchases)) for program in programs if draw(st.booleans())]
    groups = draw(st.lists(_family_groups(customer_id), max_size=2, unique_by=lambda group: group.group_id))
    if not wallets:  # Figures at the top that belong to no wallet are none.
        programs = [replace_default(program, False) for program in programs]
    return CustomerRecord(
        customer=Customer(
            customer_id=customer_id,
            mobile=draw(texts),
            email=draw(texts),
            external_id=draw(texts),
            first_name=draw(texts),
            last_name=draw(texts),
            tier=draw(maybe(words)),
            is_registered=draw(st.booleans()),
            is_blocked=draw(st.booleans()),
            default_family_group_id=next((group.group_id for group in groups if group.is_default), None),
        ),
        wallets=tuple(wallets),
        family_groups=tuple(groups),
        programs=tuple(programs),
    )


def replace_default(program, is_default):
    """The same program, default or not."""
    return Program(
        program_id=program.program_id,
        name=program.name,
        is_default=is_default,
        ratio=program.ratio,
        are_rules_known=False,
    )


told_programs = st.builds(Program, program_id=ids, name=texts, ratio=maybe(ratios), are_rules_known=st.just(False))


@st.composite
def _wallets(draw, program_id, purchases):
    balance = draw(points)
    lots = draw(st.lists(st.tuples(days, some_points), max_size=3).map(sorted))
    return Wallet(
        program_id=program_id,
        balance=balance,
        available=balance,
        lifetime_points=draw(points),
        lifetime_purchases=purchases,
        promised_points=draw(points),
        redeemed_days=None,
        lots=tuple(Lot(points=each, expires_on=day, program_id=program_id) for day, each in lots),
    )


@st.composite
def _family_groups(draw, customer_id):
    return FamilyGroup(
        group_id=draw(st.integers(1, 2**31 - 1)),
        name=draw(texts),
        external_id=draw(texts),
        is_active=draw(st.booleans()),
        is_default=draw(st.booleans()),
        members=(Member(customer_id, is_primary=draw(st.booleans()), may_redeem=draw(st.booleans())),),
    )


@st.composite
def _ceilings(draw):
    period = draw(st.sampled_from(CeilingPeriod))
    return Ceiling(period, draw(some_points), draw(st.integers(1, 400)) if period is CeilingPeriod.PAST_DAYS else 0)


criteria = st.builds(
    Criteria,
    minimum=maybe(some_points),
    maximum=maybe(some_points),
    multiple_of=maybe(some_points),
    balance_required=maybe(some_points),
    lifetime_points_required=maybe(some_points),
    lifetime_purchases_required=maybe(some_money),
    ceilings=st.lists(_ceilings(), max_size=2).map(tuple),
)
programs = st.builds(
    Program,
    program_id=ids,
    name=texts,
    is_default=st.booleans(),
    is_active=st.booleans(),
    ratio=maybe(ratios),
    decimals=st.integers(0, 3),
    rounding=st.sampled_from(Rounding),
    redemption_enabled=st.booleans(),
    family_groups_enabled=st.booleans(),
    offline_redemption=st.booleans(),
    criteria=criteria,
    tier_criteria=st.dictionaries(texts, criteria, max_size=3),
)
organisations = st.builds(
    Organisation,
    organisation_id=ids,
    currency=st.sampled_from(["INR", "EUR", "JPY"]),
    time_zone=st.sampled_from(["UTC", "Asia/Kolkata"]),
    country_code=st.sampled_from(["", "91", "44"]),
    validation_required=st.booleans(),
    skip_validation_allowed=st.booleans(),
    missed_call_enabled=st.booleans(),
    missed_call_number=st.sampled_from(["", "+912212345678"]),
    program_group_redemption=st.sampled_from(ProgramGroupRule),
    reversal_enabled=st.booleans(),
    otp_length=st.integers(1, 50),
    otp_alphabet=st.sampled_from(["letters_digits", "digits"]),
    otp_validity_s=st.integers(1, 600),
)
