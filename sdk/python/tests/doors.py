"""The doors of Python, each as one function that tries to run a guarded action, and says whether it ran and which code
came out. The suites run them against the server in memory and against `misbehaving`.
"""

import asyncio

from countersign import ApprovalDenied, CountersignError


class Attempt:
    """The guarded action: it records what it ran with."""

    def __init__(self):
        self.ran = []
        self.code = None

    def wire(self, **arguments):
        self.ran.append(arguments)


def require(clients, terms):
    attempt = Attempt()
    try:
        decision = clients.sync().require_approval(**terms)
        attempt.wire(**decision.payload)
    except CountersignError as error:
        attempt.code = error.code
    return attempt


def request(clients, terms):
    attempt = Attempt()
    try:
        decision = clients.sync().request_approval(**terms)
        if decision.status == "approved":
            decision.consume()
            attempt.wire(**decision.payload)
        else:
            attempt.code = decision.status
    except CountersignError as error:
        attempt.code = error.code
    return attempt


def asynchronous(clients, terms):
    attempt = Attempt()

    async def run():
        decision = await clients.asynchronous().request_approval(**terms)
        if decision.status == "approved":
            await decision.consume()
            attempt.wire(**decision.payload)
        else:
            attempt.code = decision.status

    try:
        asyncio.run(run())
    except CountersignError as error:
        attempt.code = error.code
    return attempt


def decorator(clients, terms):
    attempt = Attempt()
    terms = dict(terms)
    payload = terms.pop("payload")

    @clients.sync().guard(**terms)
    def wire(amount, to):
        attempt.wire(amount=amount, to=to)

    try:
        wire(**payload)
    except ApprovalDenied as denied:
        attempt.code = denied.code
    return attempt


def asynchronous_decorator(clients, terms):
    attempt = Attempt()
    terms = dict(terms)
    payload = terms.pop("payload")

    @clients.asynchronous().guard(**terms)
    async def wire(amount, to):
        attempt.wire(amount=amount, to=to)

    try:
        asyncio.run(wire(**payload))
    except ApprovalDenied as denied:
        attempt.code = denied.code
    return attempt


DOORS = [require, request, asynchronous, decorator, asynchronous_decorator]
