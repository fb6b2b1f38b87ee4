"""`make audit`: known vulnerabilities of the locked packages by pip-audit, and an SBOM by cyclonedx-bom.

The SBOM is made without a network, in build/sbom.json. Without an answer from the database of vulnerabilities
the exit code is 1: what was not audited must not pass.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCKS = ("requirements.lock", "requirements-cuda.lock")
SBOM = Path("build/sbom.json")


def main() -> int:
    """Write the SBOM and audit the locks; return 0 if every package was audited and none is vulnerable."""
    sys.stdout.write(f"{bill(Path(sys.argv[1]))}\n")
    sys.stdout.flush()
    found: list[dict[str, Any]] = []
    for lock in LOCKS:
        done = subprocess.run(
            [
                *("pip-audit", "--requirement", lock, "--disable-pip", "--require-hashes"),
                *("--format", "json", "--progress-spinner", "off"),
            ],
            capture_output=True,
            text=True,
        )
        try:
            found += json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError):
            reason = (done.stderr.strip() or "it printed nothing").splitlines()[-1]
            sys.stderr.write(f"{lock} was not audited: pip-audit failed: {reason[:120]}\n")
            return 1
    lines, good = verdict(found)
    sys.stdout.write("\n".join([*lines, ""]))
    return 0 if good else 1


def bill(python: Path) -> str:
    """Write the SBOM of an environment, and return a sentence about it."""
    SBOM.parent.mkdir(exist_ok=True)
    command = ["cyclonedx-py", "environment", str(python), "--output-format", "JSON"]
    done = subprocess.run([*command, "--output-file", str(SBOM)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"cyclonedx-py failed: {done.stderr.strip()[-500:]}")
    return f"The SBOM of {len(json.loads(SBOM.read_text())['components'])} packages is in {SBOM}."


def verdict(found: list[dict[str, Any]]) -> tuple[list[str], bool]:
    """Return the lines to print about the packages, and whether all were audited and none is vulnerable."""
    skipped = sorted(package["name"] for package in found if "skip_reason" in package)
    vulnerable = [package for package in found if package.get("vulns")]
    if len(skipped) == len(found):
        return ["Nothing was audited: the database of vulnerabilities cannot be reached from here."], False
    lines = [
        f"{package['name']} {package['version']}: {flaw['id']}, fixed in {flaw['fix_versions'] or 'none'}"
        for package in vulnerable
        for flaw in package["vulns"]
    ]
    if skipped:
        lines.append(f"Not audited, since the database does not know them: {', '.join(skipped)}.")
    lines.append(f"{len(found) - len(skipped)} packages were audited, {len(vulnerable)} are vulnerable.")
    return lines, not skipped and not vulnerable


if __name__ == "__main__":
    sys.exit(main())
