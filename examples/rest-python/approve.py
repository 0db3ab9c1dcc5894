"""Approval over plain REST, with requests and nothing of Countersign's own. It believes the server; the SDK need not."""

import os

import requests

url = os.environ["COUNTERSIGN_URL"]
headers = {"X-Api-Key": os.environ["COUNTERSIGN_API_KEY"]}
payload = {"amount": 12.5, "to": "ACME"}

response = requests.post(
    f"{url}/api/confirmations",
    headers=headers,
    json={"username": "alex", "action": "Wire money", "payload": payload},
    timeout=30,
    allow_redirects=False,
)
response.raise_for_status()
confirmation = response.json()
where = f"{url}/api/confirmations/{confirmation['id']}"
print("alex, please decide:", confirmation["url"], flush=True)

while confirmation["status"] == "pending":
    response = requests.get(f"{where}?wait=25", headers=headers, timeout=60, allow_redirects=False)
    response.raise_for_status()
    confirmation = response.json()

if confirmation["status"] != "approved":
    raise SystemExit(f"not approved: {confirmation['status']}")
# An approval serves once: a second use is 409, and stops here.
response = requests.post(f"{where}/consume", headers=headers, timeout=30, allow_redirects=False)
if response.status_code != 200:
    raise SystemExit(f"not used: {response.status_code}")
print("wired", payload["amount"], "to", payload["to"])
