"""What `report` writes for other tools is read and validated by their own libraries."""

import base64
import json
import os
import subprocess
import sys
import uuid
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import allonym as al
import jsonschema
import mlcroissant
import open_data_contract_standard as odcs
import openpyxl
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard
from openlineage.client import event_v2, serde
from openlineage.client.facet_v2 import column_lineage_dataset, schema_dataset

HOSTILE = (
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(1)",
    "NO",
    "1:30",
    "a: b # c",
    '"><script>alert(1)</script>',
    "a\u202eb",
)
#: What the names of all invented people begin with.
CANARY = "kanarie.zora"
ENDINGS = (
    "sarif",
    "odcs.yaml",
    "croissant.json",
    "openlineage.jsonl",
    "xlsx",
    "ropa.csv",
    "html",
    "md",
    "csv",
    "json",
)
SCHEMA = Path(__file__).parents[2] / "tests/data/sarif/sarif-2.1.0.schema.json"
POLICY = """version = 1
[policy]
name = "=motor"
purpose = "motor pricing"
[columns.mail]
treat = "pseudonymize"
[columns.notes]
treat = "text"
[columns.closed]
treat = "keep"
reason = "anchor"
[columns.amount]
treat = "keep"
[[match]]
glob = "*"
treat = "keep"
reason = "hostile"
[retention]
policy_tz = "Europe/Berlin"
[retention.dataset]
anchor = "closed"
duration = "P7Y"
on_expiry = "drop_row"
legal_basis = "gdpr.6.1.b"
[[retention.columns]]
match = { name = "mail" }
category = "user.contact.email"
purpose = ["claims handling"]
anchor = "dataset.collected_at"
duration = "P30D"
on_expiry = "null"
"""


@pytest.fixture(scope="module")
def allonym(tmp_path_factory):
    """The command in a folder of its own, with a ring and a treated file of two thousand rows."""
    folder = tmp_path_factory.mktemp("formats")
    environment = {
        **os.environ,
        "ALLONYM_CONFIG_HOME": str(folder / "config"),
        "SOURCE_DATE_EPOCH": "1767225600",
    }

    def run(*arguments, exits=(0,)):
        command = [sys.executable, "-m", "allonym", *arguments]
        done = subprocess.run(
            command, capture_output=True, check=False, cwd=folder, env=environment
        )
        assert done.returncode in exits, done.stderr.decode()
        return done

    run.folder = folder
    (folder / "allonym.toml").write_text(POLICY)
    names = ["mail", "notes", "closed", "amount", *HOSTILE]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    lines = [",".join(quoted)]
    for n in range(2000):
        mail = f"{CANARY}{n:05}@example.org"
        values = [mail, f"mail from {mail}", "2017-01-31", str(n)] + ["x"] * len(HOSTILE)
        lines.append(",".join(values))
    (folder / "in.csv").write_text("\n".join(lines) + "\n")
    run("key", "new")
    run("apply", "in.csv", "--to", "safe.csv", "--collected-at", "2026-01-01")
    # The raw file passed off as the treated one: findings of every kind.
    (folder / "safe.csv").write_bytes((folder / "in.csv").read_bytes())
    run("check", "safe.csv", "--full", "--evidence", "e.json", exits=(1, 3))
    for ending in ENDINGS:
        run("report", "e.json", "--to", f"view.{ending}")
    return run


def view(allonym, ending):
    return (allonym.folder / f"view.{ending}").read_text(encoding="utf-8")


def check_sarif(text):
    log = json.loads(text)
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator(schema).validate(log)
    results = log["runs"][0]["results"]
    assert results
    for result in results:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "safe.csv"
        assert place["region"]["startLine"] >= 1
    return results


def test_the_schema_of_sarif_can_refuse():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(
            {"version": "2.1.0", "runs": [{"results": [{}]}]}
        )


def test_sarif_of_report_check_and_scan_validates(allonym):
    written = check_sarif(view(allonym, "sarif"))
    assert {"ALO-I102", "ALO-R101"} <= {result["ruleId"] for result in written}
    printed = allonym("check", "safe.csv", "--full", "--format", "sarif", exits=(1, 3)).stdout
    assert check_sarif(printed) == written
    check_sarif(allonym("scan", "safe.csv", "--format", "sarif").stdout)


def test_the_patch_is_a_data_contract(allonym):
    text = view(allonym, "odcs.yaml")
    schema = json.loads(resources.files(odcs).joinpath("schema.json").read_text(encoding="utf-8"))
    assert "v3.2.0" in schema["properties"]["apiVersion"]["enum"]
    # PyYAML reads YAML 1.1, in which NO without quotes is false and 1:30 is ninety.
    document = yaml.safe_load(text)
    jsonschema.Draft201909Validator(schema).validate(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft201909Validator(schema).validate({**document, "kind": "Other"})
    contract = OpenDataContractStandard.from_string(text)
    assert contract.apiVersion == "v3.2.0"
    [table] = contract.schema_
    assert table.name == "safe"
    columns = {column.name: column for column in table.properties}
    assert set(HOSTILE) <= set(columns)
    assert columns["mail"].classification == "pii"
    assert columns["mail"].transformLogic == "pseudonymize"
    assert columns["amount"].classification is None
    rows, mail = contract.slaProperties
    assert (rows.property, rows.value, rows.unit, rows.driver) == (
        "retention",
        7,
        "y",
        "regulatory",
    )
    assert rows.element == "safe.closed"
    assert (mail.value, mail.unit, mail.element) == (30, "d", "safe")


# Its own libraries use what they have deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_croissant_loads_and_reads_the_rows(allonym):
    dataset = mlcroissant.Dataset(jsonld=str(allonym.folder / "view.croissant.json"))
    metadata = dataset.metadata
    assert not metadata.ctx.issues.errors
    assert metadata.name == "=motor"
    told = " ".join(metadata.personal_sensitive_information)
    assert "mail: was treated as personal" in told
    assert "notes: identifiers are left in 2000 cells" in told
    assert (
        "mail: pseudonymize"
        in json.loads(view(allonym, "croissant.json"))["rai:dataManipulationProtocol"]
    )
    fields = {field.name: field for field in metadata.record_sets[0].fields}
    assert set(HOSTILE) <= set(fields)
    # A CSV has texts.
    assert str(fields["amount"].data_types[0]) == "https://schema.org/Text"
    [file] = metadata.distribution
    digest = json.loads(view(allonym, "json"))["files"][0]["sha256"]
    assert (file.content_url, file.sha256, file.encoding_formats) == (
        "safe.csv",
        digest,
        ["text/csv"],
    )
    record = next(iter(dataset.records("rows")))
    assert record["rows/column-3"] == b"0"


def test_openlineage_builds_of_its_own_classes(allonym):
    events = [json.loads(line) for line in view(allonym, "openlineage.jsonl").splitlines()]
    assert [event["eventType"] for event in events] == ["START", "COMPLETE"]
    for event in events:
        # The library's classes take the members and nothing else, and say the same again.
        built = event_v2.RunEvent(
            eventTime=event["eventTime"],
            eventType=event_v2.RunState(event["eventType"]),
            producer=event["producer"],
            run=event_v2.Run(**event["run"]),
            job=event_v2.Job(**event["job"]),
            inputs=[event_v2.InputDataset(**told) for told in event["inputs"]],
            outputs=[output(told) for told in event["outputs"]],
        )
        again = serde.Serde.to_dict(built)
        assert without_empty(again) == without_empty(event)
        assert uuid.UUID(event["run"]["runId"]).version == 8
    [safe] = events[1]["outputs"]
    assert (safe["name"], events[1]["inputs"][0]["name"]) == ("safe.csv", "in.csv")
    fields = safe["facets"]["columnLineage"]["fields"]
    masked = {name for name, field in fields.items() if transformation(field)["masking"]}
    assert masked == {"mail", "notes"}
    assert "policy " in transformation(fields["mail"])["description"]


def transformation(field):
    return field["inputFields"][0]["transformations"][0]


def output(told):
    told = json.loads(json.dumps(told))
    facets = told.pop("facets")
    lineage = column_lineage_dataset
    fields = {
        name: lineage.Fields(
            inputFields=[
                lineage.InputField(
                    **{
                        **source,
                        "transformations": [
                            lineage.Transformation(**how) for how in source["transformations"]
                        ],
                    }
                )
                for source in field["inputFields"]
            ]
        )
        for name, field in facets["columnLineage"]["fields"].items()
    }
    columns = [schema_dataset.SchemaDatasetFacetFields(**c) for c in facets["schema"]["fields"]]
    producer = {"producer": facets["schema"]["_producer"]}
    return event_v2.OutputDataset(
        **told,
        facets={
            "columnLineage": lineage.ColumnLineageDatasetFacet(fields=fields, **producer),
            "schema": schema_dataset.SchemaDatasetFacet(fields=columns, **producer),
        },
    )


def without_empty(value):
    if isinstance(value, dict):
        kept = {key: without_empty(member) for key, member in value.items()}
        return {key: member for key, member in kept.items() if member not in (None, {}, [])}
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    return value


def test_the_workbook_opens_and_no_cell_is_a_formula(allonym):
    path = allonym.folder / "view.xlsx"
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Register", "Columns", "Findings", "About"]
    assert str(book.properties.created) == "2026-01-01 00:00:00"
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    assert all(cell.data_type == "s" for cell in cells)
    assert not [cell.value for cell in cells if cell.value.startswith(("=", "+", "-", "@"))]
    register = list(book["Register"].iter_rows(values_only=True))
    asked = dict(zip(register[0], register[1], strict=True))
    assert asked["categories of recipients"] == "to be completed by the controller"
    assert asked["processing activity"] == "'=motor"
    by_purpose = {row[4]: dict(zip(register[0], row, strict=True)) for row in register[1:]}
    mail = by_purpose["claims handling"]
    assert mail["categories of personal data"] == "user.contact.email"
    assert mail["time limit for erasure"] == "dataset.collected_at + P30D, then null"
    assert mail["technical and organisational measures"] == "mail: pseudonymize"
    columns = [row[0] for row in book["Columns"].iter_rows(values_only=True)]
    assert "'=HYPERLINK(1)" in columns
    # Its bytes go by the evidence alone.
    allonym("report", "e.json", "--to", "again.xlsx")
    assert (allonym.folder / "again.xlsx").read_bytes() == path.read_bytes()


def test_no_view_holds_a_canary_or_a_word_of_the_law(allonym):
    whole = []
    for ending in ENDINGS:
        if ending == "xlsx":
            book = openpyxl.load_workbook(allonym.folder / "view.xlsx")
            cells = (cell.value for sheet in book for row in sheet.iter_rows() for cell in row)
            whole.append("\n".join(str(cell) for cell in cells))
        else:
            whole.append(view(allonym, ending))
    text = "\n".join(whole)
    spellings = [CANARY, quote(CANARY), "".join(f"%{byte:02x}" for byte in CANARY.encode())]
    # Whatever stands before it, the middle of one of three shifts is spelt alike.
    shifted = [base64.b64encode((before + CANARY).encode()) for before in ("", "x", "xx")]
    spellings.extend(text[4:12].decode() for text in shifted)
    for spelling in spellings:
        assert spelling not in text
    for word in ("compliant", "anonymous", "anonymised", "anonymized"):
        assert word not in text.lower()


def test_a_policy_comes_back_from_the_contract(allonym):
    policy = al.Policy.from_contract(allonym.folder / "view.odcs.yaml")
    text = policy.to_toml()
    assert 'policy_tz = "Europe/Berlin"' in text
    assert text.count("[[retention.columns]]") == 1
    assert dict(policy.columns)["mail"] == "pseudonymize"
    assert set(HOSTILE) <= set(dict(policy.columns))
    with pytest.raises(al.UsageError, match="no table `others`"):
        al.Policy.from_contract(allonym.folder / "view.odcs.yaml", table="others")
    with pytest.raises(al.UsageError, match="cannot read"):
        al.Policy.from_contract(allonym.folder / "absent.yaml")
