"""Carries commands to a ledger over HTTP and brings answers back."""

from pos_app.gateway.address import digest_of
from pos_app.gateway.client import HttpLedger

__all__ = ["HttpLedger", "digest_of"]
