"""Writes examples/claims.csv: invented people, made from word lists and a fixed seed.

Run from the repository root: python3 examples/make_claims.py
"""

import csv
import random
from pathlib import Path

FIRST = """Zora Quill Bramble Ottiwell Philander Marigold Tansy Corvin Isolde Peregrine Wilmot
Eglantine Hesper Lysander Odalys Thaddea Ulric Verbena Xanthe Yvaine""".split()
LAST = """Musterfeld Beispielsen Probstmann Exempel-Vogt Fingiert Nirgendwo van-der-Voorbeeld
Testarossa Ejemplares Dupontel Fictief Inventado Nimmerdar Phantomas Erdacht""".split()
STREETS = ["Erfundene Straße", "Musterallee", "Nirgendweg", "Phantasieplatz", "Beispielgasse"]
CITIES = [("10999", "Musterstadt"), ("20999", "Beispielhausen"), ("80999", "Nirgendheim"),
          ("50999", "Probedorf"), ("01099", "Erdachtingen")]
CAUSES = ["hail", "rear-end collision", "parking damage", "glass breakage", "deer on the road"]
NOTES = [
    "Called back on {phone}, asked to be reached at {email}.",
    "Payment to {iban} confirmed by telephone.",
    "No injuries. Photos received.",
    "Customer will send the invoice; IBAN {iban}, copy to {email}.",
    "Workshop estimate pending, reply to {email}.",
    "Policyholder moved to {street} {number}, please update.",
]


def iban(rng: random.Random) -> str:
    """A German IBAN with right check digits and a bank code that no bank has."""
    account = "99999999" + f"{rng.randrange(10**10):010d}"
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02d}{account}"


def tax_id(rng: random.Random) -> str:
    """Eleven digits by the rule of AO § 139b: one digit twice, ISO 7064 MOD 11,10 check digit."""
    while True:
        digits = rng.sample(range(10), 9)
        digits.insert(rng.randrange(1, 10), rng.choice(digits))
        if digits[0] != 0 and not any(a == b == c for a, b, c in zip(digits, digits[1:], digits[2:])):
            break
    product = 10
    for digit in digits:
        total = (digit + product) % 10 or 10
        product = 2 * total % 11
    return "".join(map(str, digits)) + str((11 - product) % 10)


def main() -> None:
    """Writes the file."""
    rng = random.Random(2026)
    rows = []
    for claim in range(1, 401):
        person = random.Random(rng.randrange(120))  # about 120 people, so names come back
        first, last = person.choice(FIRST), person.choice(LAST)
        postcode, city = person.choice(CITIES)
        facts = {
            "first": first, "last": last,
            "email": f"{first}.{last}{person.randrange(100)}@example.org".lower(),
            "phone": f"+49 30 5550{person.randrange(1000):03d}",
            "iban": iban(person), "street": person.choice(STREETS), "number": person.randrange(1, 99),
        }
        born = f"{person.randrange(1938, 2006)}-{person.randrange(1, 13):02d}-{person.randrange(1, 29):02d}"
        rows.append([
            f"{claim:05d}", f"{first} {last}", facts["email"], facts["phone"], facts["iban"],
            tax_id(person), born, f"{facts['street']} {facts['number']}", postcode, city,
            f"2026-{rng.randrange(1, 11):02d}-{rng.randrange(1, 29):02d}", rng.choice(CAUSES),
            f"{rng.randrange(150, 9000)}.{rng.randrange(100):02d}",
            rng.choice(NOTES).format(**facts),
        ])
    with Path("examples/claims.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["claim_no", "holder_name", "email", "phone", "iban", "tax_id", "birth_date",
                         "street", "postcode", "city", "claim_date", "cause", "amount", "notes"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
