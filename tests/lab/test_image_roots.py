"""Sandboxes whose root file system is that of an image, in real namespaces."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.lab import inside, root_files
from tests.lab.test_sandbox import Bench, made_directory

from bookmesh.kube.sandbox.forking import Exit, ForkServer, SandboxError
from bookmesh.kube.sandbox.specification import ImageRoot, Mount

ENV = {"PATH": "/bin"}


def made_image(*names: str) -> Path:
    """One layer with a shell and programs, in a tmpfs of the scenario's own."""
    layer = made_directory() / "la,yer:0"  # what the options of an overlay could not hold
    root_files.copy_programs(layer, "sh", *names)
    return layer


async def output(
    bench: Bench, script: str, *layers: Path, read_only: bool = False, **fields: object
) -> tuple[Exit, str]:
    root = ImageRoot(tuple(map(str, layers)), read_only)
    return await bench.output("sh", "-c", script, env=ENV, root=root, **fields)


async def own_root(server: ForkServer) -> None:
    layer = made_image("ls", "cat")
    (layer / "only-here").write_text("of the image")
    ended, text = await output(
        Bench(server),
        "ls -A / /etc; cat /only-here /etc/hosts; echo x > /bin/new && echo $$",
        layer,
        files={"/etc/hosts": "127.0.0.1 localhost\n"},
        cwd="/made/for/it",
    )
    lib = {path.name for path in layer.iterdir()}
    listed, _, rest = text.partition("of the image")
    assert rest == "127.0.0.1 localhost\n1\n", text
    assert set(listed.split()) == {"/:", "/etc:", "hosts", "etc", "dev", "proc", "sys", "made"} | lib
    assert ended == Exit(0)
    assert not (layer / "bin" / "new").exists()


async def layers_above_each_other(server: ForkServer) -> None:
    base = made_image("ls")
    upper = base.parent / "upper"
    for directory in (base / "data", base / "opaque", upper / "data", upper / "opaque"):
        directory.mkdir(parents=True)
        (directory / f"from-{directory.parent.name.replace(',', '').replace(':0', '')}").touch()
    (base / "data" / "removed").touch()
    os.mknod(upper / "data" / "removed", stat.S_IFCHR, os.makedev(0, 0))
    kind = "trusted" if server.can_change_user else "user"
    os.setxattr(upper / "opaque", f"{kind}.overlay.opaque", b"y")
    ended, text = await output(Bench(server), "ls /data /opaque", upper, base)
    assert (ended, text.split()) == (
        Exit(0),
        ["/data:", "from-layer", "from-upper", "/opaque:", "from-upper"],
    )


async def read_only_root(server: ForkServer) -> None:
    layer = made_image("cat")
    volume = layer.parent / "volume"
    volume.mkdir()
    script = "echo x > /new; echo x > /etc/hosts; echo x > /data/new && cat /data/new; echo x > /dev/null && echo end"
    fields = {
        "mounts": (Mount(str(volume), "/data"),),
        "files": {"/etc/hosts": "h"},
        "cwd": "/work",
    }
    bench = Bench(server)
    _, text = await output(bench, script, layer, read_only=True, **fields)
    assert text.count("Read-only file system") == 2, text
    assert text.endswith("x\nend\n")
    assert (volume / "new").read_text() == "x\n"
    _, text = await output(bench, script, layer, read_only=False, **fields)
    assert text == "x\nend\n"


async def volumes_of_a_read_only_root(server: ForkServer) -> None:
    layer = made_image("cat")
    (layer / "data").mkdir()
    (layer / "data" / "seed").write_text("of the image ")
    (layer / "link").symlink_to("/data")
    root = ImageRoot((str(layer),), read_only=True, volumes=("/link", "/var/lib/made"))
    script = (
        "cat /data/seed; echo x > /data/new; echo x > /var/lib/made/new; echo x > /var/lib/new; cat /data/new"
    )
    ended, text = await Bench(server).output("sh", "-c", script, env=ENV, root=root)
    assert ended == Exit(0)
    assert text.startswith("of the image ")
    assert text.endswith("x\n")
    assert text.count("Read-only file system") == 1, text
    assert not (layer / "data" / "new").exists()


async def links_that_lead_out(server: ForkServer) -> None:
    """An image cannot make the node write, mount or look elsewhere than into the image itself."""
    layer = made_image("cat")
    secret = layer.parent / "secret"
    secret.write_text("of the host")
    (layer / "etc").mkdir()
    for name, target in {
        "etc/hosts": f"/.host{secret}",
        "etc/resolv.conf": f"../../../..{secret}",
        "data": "/.host/mnt",
        "look": str(secret),
    }.items():
        (layer / name).symlink_to(target)
    ended, text = await output(
        Bench(server),
        "cat /etc/hosts /etc/resolv.conf /data/file; cat /look || cat /.host/etc/passwd; cat /etc/../..$0",
        layer,
        files={"/etc/hosts": "hosts ", "/etc/resolv.conf": "names "},
        mounts=(Mount(str(secret), "/data/file"),),
    )
    assert text.startswith("hosts names of the host"), text
    assert text.count("No such file") >= 2, text
    assert secret.read_text() == "of the host"
    assert ended.code != 0
    assert not Path("/.host").exists()


async def users_and_groups(server: ForkServer) -> None:
    layer = made_image("id")
    _, text = await output(Bench(server), "id -u; id -g; id -G", layer, uid=1234, gid=5, groups=(6, 7))
    assert text == ("1234\n5\n5 6 7\n" if server.can_change_user else "0\n0\n0\n"), text


async def commands_inside(server: ForkServer) -> None:
    layer = made_image("sleep", "cat")
    (layer / "only-here").write_text("of the image")
    bench = Bench(server)
    process = await bench.start("sleep", "1000", env=ENV, root=ImageRoot((str(layer),)))
    ended, text = await bench.execute(process, ["cat", "/only-here"], env=ENV)
    assert (ended, text) == (Exit(0), "of the image")
    with pytest.raises(SandboxError, match=r'exec: "python3": executable file not found in \$PATH'):
        await bench.execute(process, ["python3"], env=ENV)


async def a_layer_that_is_gone(server: ForkServer) -> None:
    layer = made_image()
    with pytest.raises(SandboxError, match="No such file"):
        await output(Bench(server), "true", layer, layer / "gone")


FACTS: Mapping[str, str] = {
    "own_root": "a sandbox sees the root of its image and what it writes stays its own",
    "layers_above_each_other": "an upper layer adds and removes",
    "read_only_root": "a read-only root takes nothing but in its mounts",
    "volumes_of_a_read_only_root": "volumes of an image stay writable in a read-only root",
    "links_that_lead_out": "a link of an image leads nowhere but into the image",
    "users_and_groups": "users and groups are those that are asked for",
    "commands_inside": "commands inside are those of the image",
    "a_layer_that_is_gone": "a layer that is not there is told",
}


@pytest.mark.lab
@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("scenario", FACTS, ids=[fact.replace(" ", "_") for fact in FACTS.values()])
def test_image_root(scenario: str) -> None:
    inside.run(__file__, scenario)


if __name__ == "__main__":
    inside.main(globals())
