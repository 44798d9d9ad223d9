# SPDX-License-Identifier: Apache-2.0
"""DevStack as the plugin meets it: stand-ins of its functions, run in bash, and what they have recorded."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.data import CHECKOUT

PLUGIN = CHECKOUT / "devstack"
STAND_INS = Path(__file__).with_name("stand_ins.sh")
PASSWORD = "only-for-this-stack"

MARKET = ("flocx-market-api", "flocx-market-manager")
PROVIDER = ("flocx-provider-api", "flocx-provider-manager")
EVERYTHING = (*MARKET, *PROVIDER)
#: What DevStack has besides in most tests.
CLOUD = ("key", "n-api", "n-sch", "ir-api", "ir-cond")

STACK = ("stack install", "stack post-config", "stack extra", "stack test-config")
UNSTACK = ("unstack",)
CLEAN = ("clean",)

# Programs outside bash that the plugin or the stand-ins may call; every other one is unknown to them.
_PROGRAMS = ("awk", "cat", "cp", "dirname", "hostname", "id", "install", "mkdir", "rm")
_RECORDING = """#!{bash}
line=$(printf '%s\\t' "${{0##*/}}" "$@")
echo "${{line%?}}" >>"$CALLS"
"""
_GENERATOR = (
    _RECORDING
    + """
service=${{2%/config-generator.conf}}
cat "$SAMPLES/${{service##*/}}.conf.sample" >"$4"
"""
)


@dataclass
class Stack:
    """A machine on which stack.sh, unstack.sh and clean.sh run, as far as the plugin notices.

    :param samples: the directory of the generated sample configurations.
    """

    root: Path
    samples: Path
    services: Sequence[str] = (*EVERYTHING, *CLOUD)
    variables: dict[str, str] = field(default_factory=dict)
    database_url: str = "mysql+pymysql://root:secret@127.0.0.1"

    def __post_init__(self) -> None:
        for name in ("bin", "nova", "ironic", "data", "dest"):
            (self.root / name).mkdir()
        (self.root / "dest" / "flocx").symlink_to(CHECKOUT)
        bash = shutil.which("bash")
        assert bash is not None
        for name in _PROGRAMS:
            program = shutil.which(name)
            assert program is not None, name
            (self.root / "bin" / name).symlink_to(program)
        for name in ("uwsgi", "flocx-market-manage", "flocx-provider-manage"):
            self._program(name, _RECORDING.format(bash=bash))
        self._program("oslo-config-generator", _GENERATOR.format(bash=bash))
        self.nova_conf.write_text(
            "[filter_scheduler]\ntrack_instance_changes = False\n[ironic]\nauth_type = password\n"
        )
        self.ironic_conf.write_text("[DEFAULT]\ndebug = True\n")

    def _program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    @property
    def nova_conf(self) -> Path:
        """Nova's configuration."""
        return self.root / "nova" / "nova.conf"

    @property
    def ironic_conf(self) -> Path:
        """Ironic's configuration."""
        return self.root / "ironic" / "ironic.conf"

    @property
    def conf_dir(self) -> Path:
        """Where FLOCX's configuration goes."""
        return self.root / "etc-flocx"

    def run(self, *phases: str, fails: bool = False) -> str:
        """Source settings and then the plugin once for each phase, as DevStack does; return what was printed."""
        disabled = ",".join(set(EVERYTHING) - set(self.services))
        ours = {
            "ROOT": self.root,
            "CALLS": self.root / "calls",
            "UNKNOWN": self.root / "unknown",
            "SAMPLES": self.samples,
            "PASSWORD": PASSWORD,
            "DATABASE_URL": self.database_url,
            "ENABLED_SERVICES": ",".join(name for name in self.services if name not in EVERYTHING),
            "DISABLED_SERVICES": disabled,
            "FLOCX_CONF_DIR": self.conf_dir,
            "FLOCX_IRONIC_CONF": self.ironic_conf,
            "PATH": self.root / "bin",
        }
        script = [
            "set -o errexit -o nounset",
            f"source {STAND_INS}",
            f"source {PLUGIN}/settings",
            *(f"record phase {phase}; source {PLUGIN}/plugin.sh {phase}" for phase in phases),
        ]
        bash = shutil.which("bash")
        assert bash is not None
        done = subprocess.run(
            [bash, "-c", "\n".join(script)],
            env={**{name: str(value) for name, value in ours.items()}, **self.variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        unknown = self.root / "unknown"
        assert not unknown.exists(), f"neither bash nor DevStack nor the plugin has: {unknown.read_text()}"
        assert (done.returncode != 0) == fails, done.stderr
        return done.stdout + done.stderr

    def calls(self, *names: str) -> list[tuple[str, ...]]:
        """Return what was called, in order; of some functions only, if they are named."""
        path = self.root / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        calls = [tuple(line.split("\t")) for line in lines]
        return [call for call in calls if not names or call[0] in names]

    def phases(self) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
        """Yield each phase that was run with what was called in it."""
        phase, called = "", []
        for call in [*self.calls(), ("phase", "")]:
            if call[0] != "phase":
                called.append(call)
                continue
            if phase:
                yield phase, called
            phase, called = " ".join(call[1:]), []

    def written(self, path: Path) -> dict[str, dict[str, str]]:
        """Return a configuration file as it is now, options by group."""
        parsed = configparser.ConfigParser(interpolation=None, strict=False, default_section="")
        parsed.read(path)
        return {group: dict(parsed[group]) for group in parsed.sections()}

    def files(self) -> dict[str, str]:
        """Return every file that is on the machine besides programs and records, by path."""
        kept = {self.root / "calls", self.root / "unknown"}
        return {
            str(path.relative_to(self.root)): path.read_text()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and path not in kept and path.parent != self.root / "bin"
        }


def generate_samples(directory: Path) -> Path:
    """Let the real generator write the sample configurations of both services."""
    for service in ("flocx-market", "flocx-provider"):
        subprocess.run(
            [
                Path(sys.executable).parent / "oslo-config-generator",
                "--config-file",
                CHECKOUT / "etc" / service / "config-generator.conf",
                "--output-file",
                directory / f"{service}.conf.sample",
            ],
            check=True,
            capture_output=True,
        )
    return directory
