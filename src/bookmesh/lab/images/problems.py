"""What can be wrong with an archive of images, in words for people."""

from __future__ import annotations

from collections.abc import Iterable

from bookmesh.base.findings import BookmeshError, Finding


def no_archive(where: str, why: str) -> BookmeshError:
    return BookmeshError(
        Finding(
            code="BM0350",
            message=f"{where} holds no image: {why}",
            known="docker save, an OCI layout (a folder, or a tar of one), each also compressed with gzip or zstd",
            hint="docker save NAME -o FILE, or: buildah push NAME oci-archive:FILE:NAME",
        )
    )


def damaged(where: str, why: str) -> BookmeshError:
    return BookmeshError(
        Finding(
            code="BM0351",
            message=f"{where} is damaged or cut off: {why}",
            hint="write or copy the file once more; nothing of it was loaded",
        )
    )


def other_machine(name: str, *, machine: str, known: Iterable[str]) -> BookmeshError:
    return BookmeshError(
        Finding(
            code="BM0352",
            message=f"image {name} has nothing for this machine, linux/{machine}",
            known=", ".join(known),
            hint=f"build it for this machine: docker build --platform linux/{machine}",
        )
    )


def no_name(where: str, why: str) -> BookmeshError:
    return BookmeshError(
        Finding(
            code="BM0353",
            message=f"{where}: {why}",
            hint="say what it is called: bookmesh image load FILE --as NAME:TAG",
        ),
        exit_code=2,
    )


def leads_out(where: str, name: str) -> BookmeshError:
    return BookmeshError(
        Finding(
            code="BM0354",
            message=f'{where} wants to write outside of its own root file system: "{name}"',
            hint="do not use this image; a well-made one has no such names",
        )
    )


def too_large(where: str, what: str, known: str) -> BookmeshError:
    return BookmeshError(
        Finding(
            code="BM0355",
            message=f"{where} is larger than the lab takes: {what}",
            known=known,
            hint="use a smaller image",
        )
    )


def not_here(where: str, error: OSError) -> BookmeshError:
    return BookmeshError(
        Finding(
            code="BM0356",
            message=f"{where} cannot be unpacked here: {error}",
            hint="BOOKMESH_HOME must be on a local file system of Linux (ext4, xfs, btrfs) with room for the image",
        ),
        exit_code=3,
    )


def not_loaded(reference: str, *, known: Iterable[str], lab: str) -> BookmeshError:
    return BookmeshError(
        Finding(
            code="BM0357",
            message=f'no image "{reference}" is loaded into the lab "{lab}"',
            known=", ".join(known) or "none is loaded",
            hint="bookmesh image list shows the loaded ones; stand-ins cannot be removed",
        )
    )
