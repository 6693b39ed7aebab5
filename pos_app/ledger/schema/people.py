"""Who there is: organisations with their programs, tills, operators, customers, family groups."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData()

organisation: Final = Table(
    "organisation",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("settings", Text, nullable=False),
    Column("telephony_login", Text),
    Column("telephony_proof", String(64)),
)
"""`settings` is the import line's object, without the telephony password, in canonical JSON."""

program: Final = Table(
    "program",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("is_default", Boolean, nullable=False),
    Column("settings", Text, nullable=False),
)

till: Final = Table(
    "till",
    metadata,
    Column("login", Text, primary_key=True),
    Column("org", ForeignKey(organisation.c.id), nullable=False),
    Column("proof", String(64), nullable=False),
    Column("store", Text, nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("program_id", BigInteger),
    Column("currency", String(3), nullable=False),
    Column("currency_rate", Text, nullable=False, default="1"),
    Column("state", String(10), nullable=False, default="ACTIVE"),
    Column("till_epoch", Integer, nullable=False, default=0),
    Column("public_key", Text),
    Column("enrolment_code", String(64)),
    Column("enrolment_code_until", BigInteger),
    Column("enrolment_tries", Integer, nullable=False, default=0),
    Column("disabled_from", String(10)),
)
"""`till_epoch` counts enrolments (0: never). `enrolment_code`: HMAC of the code for another key; wrong tries of it.

`disabled_from`: the state it was disabled in, and comes back to: a frozen till is not thawed that way."""

till_key: Final = Table(
    "till_key",
    metadata,
    Column("login", ForeignKey(till.c.login), primary_key=True),
    Column("till_epoch", Integer, primary_key=True, autoincrement=False),
    Column("public_key", Text, nullable=False),
    Column("enrolled_at", BigInteger, nullable=False),
    Column("software", Text, nullable=False, default=""),
    Column("platform", Text, nullable=False, default=""),
    Column("last_seq", Integer, nullable=False, default=0),
    Column("last_hash", String(64), nullable=False, default="0" * 64),
)
"""Every key a till ever had: rows signed with an old one are still settled, as late ones (sync-api 4.1).

`last_seq` and `last_hash`: the end of the chain of rows settled under it; an empty hash is not known (sync-api 7)."""

till_seen: Final = Table(
    "till_seen",
    metadata,
    Column("login", ForeignKey(till.c.login), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("outbox_count", Integer),
    Column("version", Text),
    Column("oldest_s", BigInteger),
    Column("clock_ahead_ms", BigInteger),
    Column("audit_epoch", Integer),
    Column("audit_count", Integer),
    Column("audit_head", Text),
)
"""When a till last told of itself. `audit_*`: the end of its audit that was countersigned last, in which enrolment.

Apart from `till`, whose every change makes all processes read the rules again."""

operator: Final = Table(
    "operator",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("role", String(12), nullable=False),
    Column("stores", Text, nullable=False, default="[]"),
    Column("pin_hash", Text),
    Column("badge", Text),
    Column("is_active", Boolean, nullable=False, default=True),
    Column("must_change_pin", Boolean, nullable=False, default=False),
    Column("wrong_pins", Integer, nullable=False, default=0),
    Column("locks", Integer, nullable=False, default=0),
    Column("locked_until", BigInteger),
    Column("pin_set_at", BigInteger),
)
"""`wrong_pins` in a row; the fifth locks, for 15 minutes the first time and twice as long each further (`locks`).

`pin_set_at`: when it was last set at a till or by an administrator. From then on an import leaves it alone."""

customer: Final = Table(
    "customer",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("mobile", Text, nullable=False, default=""),
    Column("email", Text, nullable=False, default=""),
    Column("external_id", Text, nullable=False, default=""),
    Column("first_name", Text, nullable=False, default=""),
    Column("last_name", Text, nullable=False, default=""),
    Column("type", String(12), nullable=False, default="LOYALTY"),
    Column("campaign_only", Boolean, nullable=False, default=False),
    Column("fraud_status", Text, nullable=False, default="NONE"),
    Column("tier", Text),
    Column("default_family_group_id", BigInteger),
    Column("code_right_at", BigInteger, nullable=False, default=0),
    Column("codes_locked", Boolean, nullable=False, default=False),
    Column("contact_changed_at", BigInteger),
)
"""`code_right_at`: wrong codes before it are forgiven. `codes_locked`: 100 straight failures (reliability 4.6).

`contact_changed_at`: when her mobile number or e-mail address was last changed: no lease for a day (4.3)."""

identifier: Final = Table(
    "identifier",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("value", Text, primary_key=True),
    Column("customer_id", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False, default=True),
    Index("identifier_by_customer", "org", "customer_id"),
)
"""Every way to name a customer but her own id; the key makes each unique in its organisation."""

family_group: Final = Table(
    "family_group",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("external_id", Text),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, default=""),
    Column("status", String(10), nullable=False, default="ACTIVE"),
    UniqueConstraint("org", "external_id"),
    Index("family_group_by_name", "org", "name_key"),
)
"""`name_key` is the name as it is searched for: without regard to case."""

_CODE_POINTS: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its characters' numbers, as SQLite has it: only so is a beginning one stretch of an index."""

family_group_word: Final = Table(
    "family_group_word",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("word", _CODE_POINTS, primary_key=True),
    Column("shared", Integer, primary_key=True, autoincrement=False),
    Column("family_group_id", BigInteger, primary_key=True, autoincrement=False),
    Index("family_group_word_by_group", "org", "family_group_id"),
)
"""`name_key` from each of its words on (`group_names`): a search for a beginning is one stretch of the key.

`shared`: how many characters a word has in common, from its start on, with the group's word before it in the alphabet.
Of all words of one group that begin alike only the first has fewer than the beginning: it alone is found and counted.
"""

family_member: Final = Table(
    "family_member",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("family_group_id", BigInteger, primary_key=True, autoincrement=False),
    Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("is_primary", Boolean, nullable=False, default=False),
    Column("may_redeem", Boolean, nullable=False, default=True),
    Column("is_active", Boolean, nullable=False, default=True),
    Index("family_member_by_customer", "org", "customer_id"),
)
