"""A PyTorch network by the two callables, in whichever interpreter has PyTorch.

PyTorch's own wheels are larger than all other tools together; Debian's package (``python3-torch``, for the
CPU) belongs to the system's interpreter. The extension module is of the stable ABI, so that interpreter can
load it. Where neither has PyTorch the test says that it was left out.
"""

import json
import subprocess
import sys
from pathlib import Path

import allonym as al
import pytest

NETWORK = """
import json, sys
sys.path.insert(0, sys.argv[1])
import allonym as al
import numpy as np
import torch

torch.set_num_threads(1)
drawn = np.random.default_rng(3)
rows, columns = 240, 12
features = drawn.normal(size=(2 * rows, columns)).astype("float32")
# Half of the labels are noise: whoever knows them has learnt them by heart.
labels = np.where(drawn.random(2 * rows) < 0.5, features[:, 0] > 0, drawn.random(2 * rows) < 0.5)
labels = labels.astype("int64")


def network(epochs):
    def train(x, y):
        torch.manual_seed(0)
        model = torch.nn.Sequential(
            torch.nn.Linear(columns, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2)
        )
        step = torch.optim.Adam(model.parameters(), lr=0.01)
        x, y = torch.from_numpy(np.asarray(x)), torch.from_numpy(np.asarray(y))
        for _ in range(epochs):
            step.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            step.step()
        return model

    return train


def predict(model, x):
    with torch.no_grad():
        return torch.softmax(model(torch.from_numpy(np.asarray(x))), 1).numpy()


told = {}
for name, epochs in (("learnt by heart", 300), ("untrained", 0)):
    train = network(epochs)
    tables = features[:rows], labels[:rows], features[rows:], labels[rows:]
    model = train(*tables[:2])
    report = al.exposure(model, *tables, train=train, predict=predict, references=4, fpr=0.1, cache=False)
    right = (predict(model, tables[0]).argmax(1) == tables[1]).mean()
    evidence = json.loads(report.to_json())
    told[name] = {
        "found": report.found,
        "auc": evidence["told"]["auc"],
        "references": report.references,
        "right": float(right),
        "gate": report.gate(auc=0.55).decision,
    }
print(json.dumps(told))
"""


def interpreter():
    """One that has PyTorch and NumPy: this one, else the system's."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        if Path(candidate).exists():
            asked = [
                candidate,
                "-c",
                "import numpy, torch, sys; assert sys.version_info >= (3, 10)",
            ]
            if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
                return candidate
    pytest.skip("left out: no interpreter here has PyTorch (Debian: python3-torch)")


def test_a_network_is_measured_by_two_callables(tmp_path):
    python = interpreter()
    # Only our package, and none of the libraries beside it, which are of another interpreter.
    (tmp_path / "allonym").symlink_to(Path(al.__file__).parent, target_is_directory=True)
    run = subprocess.run(
        [python, "-c", NETWORK, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    heart, untrained = told["learnt by heart"], told["untrained"]
    assert heart["references"] == untrained["references"] == 4
    assert heart["right"] > 0.99
    assert heart["found"] == "leak"
    assert heart["auc"]["low"] > 0.55
    assert heart["gate"] == "fail"
    assert untrained["found"] != "leak"
    assert untrained["auc"]["low"] < 0.55 < heart["auc"]["value"]
