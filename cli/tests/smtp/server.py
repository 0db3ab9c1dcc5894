"""A real SMTP server (aiosmtpd) on a free port of this machine, for the tests of mail.

    server.py FOLDER [--tls | --starttls] [--certificate FILE --key FILE] [--user NAME --password WORD] [--port N]

It writes FOLDER/port once it listens and each mail it gets as FOLDER/N.eml, whole or not at all. How it treats a
recipient stands in the name before the @:

    refused  550, for good
    busy     451 until there is a file FOLDER/free
    stalled  takes the data and never answers
    slow     takes the data, keeps the mail, and answers when there is a file FOLDER/go
"""

import argparse
import asyncio
import itertools
import logging
import os
import pathlib
import ssl
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count(len(list(folder.glob("*.eml"))))

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.partition("@")[0]
        if name == "refused":
            return "550 5.1.1 no such user here"
        if name == "busy" and not (self.folder / "free").exists():
            (self.folder / "was-busy").touch()
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        name = envelope.rcpt_tos[0].partition("@")[0]
        if name == "stalled":
            (self.folder / "stalls").touch()
            await asyncio.Event().wait()
        self.keep(envelope)
        while name == "slow" and not (self.folder / "go").exists():
            await asyncio.sleep(0.02)
        return "250 2.0.0 taken"

    def keep(self, envelope):
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {','.join(envelope.rcpt_tos)}\r\n"
        write(self.folder / f"{next(self.numbers)}.eml", head.encode() + envelope.content)


def write(path, content):
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    os.replace(beside, path)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--starttls", action="store_true")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    context = None
    if args.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.certificate, args.key)

    def authenticate(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (args.user.encode(), args.password.encode())
        return AuthResult(success=good, handled=good)

    settings = {"hostname": "localhost", "enable_SMTPUTF8": False}
    if args.user:
        # Over TLS from the first byte aiosmtpd does not see that the connection is encrypted.
        settings |= {"auth_required": True, "authenticator": authenticate, "auth_require_tls": args.starttls}
    if args.starttls:
        settings |= {"tls_context": context, "require_starttls": True}
    handler = Handler(args.folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, **settings), "127.0.0.1", args.port, ssl=context if args.tls else None
    )
    write(args.folder / "port", str(server.sockets[0].getsockname()[1]).encode())
    await server.serve_forever()


# Handshakes that fail, as some must, are not worth a traceback in the output of the tests.
logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
warnings.simplefilter("ignore")
asyncio.run(main())
