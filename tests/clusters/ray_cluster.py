"""A Ray cluster of our own: nodes of one core on loopback, where nobody else sees it.

Ray listens on all interfaces, so it has a network namespace of its own where the system
lets us make one.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

PORT = 29_379
_RAY = str(Path(sys.executable).with_name("ray"))
_LOOPBACK = "ip link set lo up 2>/dev/null || ifconfig lo up; "


class RayCluster:
    """Nodes that are started and ended here.

    Args:
      folder: for what Ray writes; a short path, as it makes sockets there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: list[subprocess.Popen] = []
        self._sessions: set[int] = set()
        self._held = _namespace()
        token = folder / "token"
        token.write_text("3f" * 32)
        self.env = {
            **os.environ,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            # A lost node is noticed within seconds.
            "RAY_health_check_initial_delay_ms": "500",
            "RAY_health_check_period_ms": "500",
            "RAY_health_check_failure_threshold": "3",
        }
        self.env.pop("RAY_ADDRESS", None)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{PORT}"

    def start(self, *, head: bool = False) -> subprocess.Popen:
        """Start a node; the first one is the head."""
        given = [f"--address={self.address}"]
        if head:
            given = ["--head", f"--port={PORT}", "--include-dashboard=false"]
        node = self.popen(
            [
                "env",
                f"NODE={len(self.nodes)}",  # Which its workers inherit,
                "PJRT_NPROC=2",  # as what a machine with more cores would have.
                _RAY,
                "start",
                *given,
                "--node-ip-address=127.0.0.1",
                "--num-cpus=1",
                "--object-store-memory=80000000",
                f"--temp-dir={self.folder}",
                "--block",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._sessions.add(node.pid)
        said = []
        for line in node.stdout:
            said.append(line.decode(errors="replace"))
            if "Ray runtime started" in said[-1]:
                self.nodes.append(node)
                return node
        raise RuntimeError(f"a node ended at once ({node.wait()}): {''.join(said)}")

    def complete(self) -> None:
        """Start what is missing of two nodes: both, or one that was killed."""
        while len(self.nodes) < 2:
            self.start(head=not self.nodes)

    def kill_raylet(self, node: subprocess.Popen) -> None:
        """Kill -9 a node: its raylet, which takes the workers along."""
        for pid, command in _processes():
            if "raylet/raylet" in command and os.getsid(pid) == node.pid:
                os.kill(pid, signal.SIGKILL)
                self.nodes.remove(node)
                node.communicate(timeout=120)
                return
        raise RuntimeError("no raylet found")

    def popen(self, command, **rest) -> subprocess.Popen:
        """Start a command where the cluster is."""
        return subprocess.Popen([*self._inside(), *command], env=self.env, **rest)

    def run(self, *command, timeout: float = 300, env=None, cwd=None):
        """Run a command where the cluster is: (exit code, what it printed)."""
        done = subprocess.run(
            [*self._inside(), *map(str, command)],
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd,
        )
        return done.returncode, done.stdout + done.stderr

    def stop(self) -> None:
        """End every process of ours."""
        for node in self.nodes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(node.pid, signal.SIGTERM)
        for node in self.nodes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                node.wait(15)
        for pid, _ in _processes():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) in self._sessions:
                    os.kill(pid, signal.SIGKILL)
        for process in filter(None, [*self.nodes, self._held]):
            process.kill()
            process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _inside(self) -> list[str]:
        if self._held is None:
            return []
        enter = ["nsenter", f"--target={self._held.pid}", "--net"]
        return (
            enter if os.getuid() == 0 else [*enter, "--user", "--preserve-credentials"]
        )


def _namespace() -> subprocess.Popen | None:
    """A process that holds a network namespace with a loopback; None without one."""
    user = [] if os.getuid() == 0 else ["--map-root-user"]
    try:
        held = subprocess.Popen(
            ["unshare", *user, "--net", "sh", "-c", f"{_LOOPBACK} echo up; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    except FileNotFoundError:
        return None
    if held.stdout.readline() == b"up\n":
        return held
    held.kill()
    held.wait()
    return None


def _processes():
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                yield int(entry.name), command.decode(errors="replace")
