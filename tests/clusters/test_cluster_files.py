"""The files of the documentation for queues that have no adapter."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs/howto/cluster"


@pytest.fixture
def manifest():
    return list(yaml.safe_load_all((FILES / "job.yaml").read_text()))


def test_the_pods_share_the_volume_and_the_run(manifest):
    claim, job = manifest
    assert (claim["kind"], job["kind"]) == ("PersistentVolumeClaim", "Job")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    (volume,), (container,) = pod["volumes"], pod["containers"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert container["volumeMounts"][0]["name"] == volume["name"]
    assert spec["completionMode"] == "Indexed" and pod["restartPolicy"] == "Never"
    parts = re.search(r'"\$JOB_COMPLETION_INDEX/(\d+)"', container["args"][0])
    assert int(parts.group(1)) == spec["completions"]


@pytest.mark.slow
def test_a_pod_works_off_its_part(manifest, tmp_path):
    (container,) = manifest[1]["spec"]["template"]["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    script = container["args"][0].replace(mount["mountPath"], str(tmp_path))
    script = script.replace("srelu", str(Path(__file__).with_name("tiny.py")))
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "JOB_COMPLETION_INDEX": "1",
    }
    done = subprocess.run(
        [*container["command"], script], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"(\d+) of 40 networks", done.stdout + done.stderr)
    assert 0 < int(found.group(1)) < 40
