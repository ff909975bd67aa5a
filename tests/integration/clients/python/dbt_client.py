"""dbt: a small project whose sources are seg's views. All its commands in one process, whose start is what takes long."""

import os
import sys

from dbt.cli.main import dbtRunner

from checks import OWNER, Checks


def main():
    checks = Checks()
    project, target = sys.argv[1:]
    os.environ["SEG_CLIENT_PORT"] = OWNER.rsplit(":", 1)[1].split("/")[0]
    runner = dbtRunner()
    where = ["--project-dir", project, "--profiles-dir", project, "--log-path", target, "--quiet"]

    def invoke(*command, target_path=True):
        answer = runner.invoke([*command, *where, *(["--target-path", target] if target_path else [])])
        if not answer.success:
            told = getattr(answer.result, "results", [])
            raise AssertionError(f"{answer.exception} {[each.message for each in told]}")

    checks.run("debug", lambda: invoke("debug", target_path=False))
    checks.run("source freshness", lambda: invoke("source", "freshness"))
    checks.run("build", lambda: invoke("build"))


# dbt starts processes of its own, which load this file too.
if __name__ == "__main__":
    main()
