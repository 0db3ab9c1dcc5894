"""Prints the mails of a folder as JSON, parsed by the standard library: mails.py FOLDER"""

import email
import email.policy
import json
import pathlib
import sys

mails = []
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml"), key=lambda path: int(path.stem)):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
    headers = [[name.lower(), str(value)] for name, value in mail.items()]
    defects = [str(defect) for part in mail.walk() for defect in part.defects]
    mails.append({"headers": headers, "type": mail.get_content_type(), "parts": parts, "defects": defects})
print(json.dumps(mails))
