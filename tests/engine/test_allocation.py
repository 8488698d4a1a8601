"""Cores and memory are those of the allocation, by whatever it is made."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import jax
import psutil
import pytest

from relujax.engine import _cache, cache_compilations
from relujax.engine._allocation import cores, memory, processes

MANY, MUCH = 10**6, 10**15

#: Each a cgroup file system and the lines of /proc/self/cgroup.
V2 = ("0::/job/step\n", "sys/fs/cgroup/job/step")
HYBRID = ("4:memory:/\n1:cpu,cpuacct:/\n0::/job/step\n", "sys/fs/cgroup/unified/job")
IN_A_CONTAINER = ("0::/docker/0123456789ab\n", "sys/fs/cgroup")
V1_CPU = ("2:cpu,cpuacct:/slurm/job_7\n0::/\n", "sys/fs/cgroup/cpu/slurm/job_7")
V1_MEMORY = ("9:memory:/slurm/job_7\n0::/\n", "sys/fs/cgroup/memory/slurm")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with a million cores and 10^15 bytes, and no SLURM."""
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    free = psutil.virtual_memory()._replace(available=MUCH, total=2 * MUCH)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    monkeypatch.setattr(os, "cpu_count", lambda: MANY)
    monkeypatch.setattr(
        psutil.Process, "cpu_affinity", lambda _: range(MANY), raising=False
    )
    return tmp_path


def grouped(root: Path, where: tuple[str, str], **files: str) -> None:
    """The process in a control group whose files say so."""
    lines, group = where
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(lines)
    (root / group).mkdir(parents=True)
    for name, content in files.items():
        (root / group / name.replace("__", ".", 1)).write_text(content)


def test_without_limits_it_is_the_machine(machine):
    assert (cores(machine), memory(machine), processes()) == (MANY, MUCH, 1)


@pytest.mark.parametrize(
    ("where", "files", "expected"),
    [
        (V2, {"cpu__max": "400000 100000\n"}, 4),
        (V2, {"cpu__max": "150000 100000\n"}, 2),
        (V2, {"cpu__max": "10000 100000\n"}, 1),
        (V2, {"cpu__max": "max 100000\n"}, MANY),
        (V2, {"cpu__max": "what\n"}, MANY),
        (HYBRID, {"cpu__max": "300000 100000\n"}, 3),
        (IN_A_CONTAINER, {"cpu__max": "700000 100000\n"}, 7),
        (
            V1_CPU,
            {"cpu__cfs_quota_us": "500000\n", "cpu__cfs_period_us": "100000\n"},
            5,
        ),
        (
            V1_CPU,
            {"cpu__cfs_quota_us": "-1\n", "cpu__cfs_period_us": "100000\n"},
            MANY,
        ),
    ],
    ids=["v2", "1.5", "0.1", "max", "damaged", "hybrid", "container", "v1", "v1 none"],
)
def test_the_quota_of_a_control_group_counts(machine, where, files, expected):
    grouped(machine, where, **files)
    assert cores(machine) == expected


def test_the_groups_above_count_too(machine):
    grouped(machine, V2, cpu__max="max 100000", memory__max="max")
    above = machine / "sys/fs/cgroup/job"
    (above / "cpu.max").write_text("200000 100000")
    (above / "memory.max").write_text("1000")
    assert (cores(machine), memory(machine)) == (2, 1000)


@pytest.mark.parametrize(
    ("where", "files", "expected"),
    [
        (
            V2,
            {
                "memory__max": "9000\n",
                "memory__current": "4000\n",
                "memory__stat": "anon 1000\ninactive_file 3000\nactive_file 5\n",
            },
            8000,
        ),
        (V2, {"memory__max": "9000\n", "memory__current": "9500\n"}, 0),
        (V2, {"memory__max": "max\n", "memory__current": "4000\n"}, MUCH),
        (
            V1_MEMORY,
            {
                "memory__limit_in_bytes": "7000\n",
                "memory__usage_in_bytes": "6000\n",
                "memory__stat": "inactive_file 1\ntotal_inactive_file 2000\n",
            },
            3000,
        ),
        (V1_MEMORY, {"memory__limit_in_bytes": f"{2**63 - 4096}\n"}, MUCH),
    ],
    ids=["v2", "v2 full", "v2 none", "v1", "v1 none"],
)
def test_what_is_left_of_the_memory_of_a_group(machine, where, files, expected):
    grouped(machine, where, **files)
    assert memory(machine) == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"CPUS_PER_TASK": "3", "CPUS_ON_NODE": "12"}, (3, MUCH * 12 // MANY * 2)),
        # A batch script that starts one process has all cores of the job.
        ({"CPUS_ON_NODE": "12", "MEM_PER_NODE": "80"}, (12, 80 * 2**20)),
        ({"CPUS_ON_NODE": "4", "MEM_PER_CPU": "10"}, (4, 40 * 2**20)),
        ({"CPUS_ON_NODE": "12", "MEM_PER_NODE": "0"}, (12, MUCH * 12 // MANY * 2)),
        # `srun` starts four on this node, or fewer.
        (
            {
                "CPUS_ON_NODE": "12",
                "MEM_PER_NODE": "80",
                "STEP_TASKS_PER_NODE": "4(x7),2",
            },
            (3, 20 * 2**20),
        ),
        ({"CPUS_PER_TASK": "many"}, (MANY, 2 * MUCH // MANY)),
    ],
    ids=["cores a task", "memory a node", "memory a core", "all memory", "srun", "bad"],
)
def test_slurm_says_what_it_has_allocated(machine, monkeypatch, variables, expected):
    for name, value in variables.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    assert (cores(machine), memory(machine)) != expected or processes() > 1
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert (cores(machine), memory(machine)) == expected


@pytest.mark.skipif(shutil.which("taskset") is None, reason="there is no taskset")
@pytest.mark.parametrize(
    ("before", "environment"),
    [
        (["taskset", "-c", "0"], {}),
        ([], {"SLURM_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "1"}),
    ],
    ids=["taskset", "slurm"],
)
def test_jax_takes_the_cores_of_the_allocation(before, environment):
    """As many devices, and as many threads for one product of matrices."""
    code = """
import json, os, jax, relujax.engine
relujax.engine.one_device_per_core()
(jax.numpy.ones((600, 600)) @ jax.numpy.ones((600, 600))).block_until_ready()
tasks = [f"/proc/self/task/{task}/comm" for task in os.listdir("/proc/self/task")]
threads = sum("Eigen" in open(task).read() for task in tasks)
print(json.dumps([jax.local_device_count(), threads]))
"""
    unset = ("XLA_FLAGS", "PJRT_NPROC", "JAX_NUM_CPU_DEVICES")
    env = {k: v for k, v in os.environ.items() if k not in unset}
    env |= {**environment, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [*before, sys.executable, "-c", code]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [1, 1]


@pytest.mark.parametrize(
    ("slurm", "system", "own"),
    [(False, "ext4", False), (False, "nfs4", True), (True, "ext4", True)],
    ids=["local", "nfs", "slurm"],
)
def test_machines_that_share_a_folder_compile_each_for_itself(
    machine, monkeypatch, slurm, system, own
):
    (machine / "self").mkdir()
    (machine / "filesystems").write_text("nodev\tnfs4\n\text4\n")
    (machine / "self/mounts").write_text(
        f"/dev/a / ext4 rw 0 0\nserver:/home {machine}/home {system} rw 0 0\n"
    )
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(machine))
    monkeypatch.setattr(_cache, "cache_folder", lambda: machine / "home/me/relujax")
    if slurm:
        monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setattr(_cache, "_SETTINGS", {})
    before = jax.config.jax_compilation_cache_dir  # pyright: ignore
    try:
        jax.config.update("jax_compilation_cache_dir", None)
        cache_compilations()
        found = Path(jax.config.jax_compilation_cache_dir)  # pyright: ignore
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
    folder = machine / "home/me/relujax/compiled"
    assert found == (folder / socket.gethostname() if own else folder)
