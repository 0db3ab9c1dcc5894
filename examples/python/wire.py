"""Wires money, but only once alex has approved exactly this amount to exactly this account.

COUNTERSIGN_URL, COUNTERSIGN_API_KEY and COUNTERSIGN_TRUST say which server and which log are believed.
"""

from countersign import ApprovalDenied, Countersign

client = Countersign()


def show(confirmation):
    print(f"alex, please decide: {confirmation.url}")
    print(f"compare code: {confirmation.compare_code}", flush=True)


@client.guard(username="alex", action="Wire money", on_pending=show)
def wire(amount, to):
    print(f"wired {amount} to {to}")


try:
    wire(12.5, to="ACME")
except ApprovalDenied as denied:
    raise SystemExit(f"nothing was wired ({denied.code}): {denied}")
