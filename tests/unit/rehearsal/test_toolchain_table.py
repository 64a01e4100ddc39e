"""The table of tools fits the Go modules in the checkout, and a tool is built again exactly when it would differ."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.rehearsal.images.description import read_images
from qhub.rehearsal.toolchain import ToolchainError
from qhub.rehearsal.toolchain.build import plan
from qhub.rehearsal.toolchain.folders import Platform, build_key, linker_flags
from qhub.rehearsal.toolchain.modules import MODULES_DIR, Module, read_module
from qhub.rehearsal.toolchain.table import TOOLS, Tool
from qhub.rehearsal.toolchain.version import parse_version, spell_version

EACH_TOOL = pytest.mark.parametrize("tool", TOOLS.values(), ids=lambda tool: tool.name)


class TestTheTableFitsTheModules:
    @EACH_TOOL
    def test_the_version_is_in_go_mod_and_sums_are_committed(self, tool: Tool) -> None:
        module = read_module(tool.module)
        version = module.version_of(tool)
        assert f"{tool.requires} {version} h1:".encode() in module.go_sum

    @EACH_TOOL
    def test_what_we_build_would_pass_as_official(self, tool: Tool) -> None:
        version = parse_version(read_module(tool.module).version_of(tool))
        if tool.asks is not None:  # the language host has its own numbering here
            assert version >= tool.minimum
            assert tool.below is None or version < tool.below

    @EACH_TOOL
    def test_the_package_is_of_the_module(self, tool: Tool) -> None:
        ours = f"module {tool.package}\n".encode()  # a main package beside go.mod
        assert tool.package.startswith(tool.requires) or read_module(tool.module).go_mod.startswith(ours)

    def test_every_module_is_used(self) -> None:
        built_into = [Path(image.go.module) for image in read_images().by_name.values() if image.go]
        in_images = {folder.name for folder in built_into if folder.parent.name == MODULES_DIR.name}
        used = {tool.module for tool in TOOLS.values()} | in_images

        assert used == {folder.name for folder in MODULES_DIR.iterdir()}

    def test_tools_built_by_one_call_have_the_same_flags_and_the_names_that_go_gives(self) -> None:
        for job in plan(list(TOOLS.values()), modules_dir=MODULES_DIR):
            flags = {linker_flags(tool, version=job.module.version_of(tool)) for tool in job.tools}
            assert len(flags) == 1
            if len(job.tools) > 1:
                assert [tool.package.rpartition("/")[2] for tool in job.tools] == [tool.name for tool in job.tools]

    def test_versions_are_stamped(self) -> None:
        assert linker_flags(TOOLS["helm"], version="v3.22.0").endswith("version.version=v3.22.0")
        flags = linker_flags(TOOLS["kubectl"], version="v1.34.4")
        assert "gitVersion=v1.34.4" in flags
        assert "gitMajor=1 " in flags
        assert flags.endswith("gitMinor=34")


#: What a tool is itself, or belongs to its very release: other tools may have another one of it.
OF_ITS_RELEASE = {
    # A package of an old release of Pulumi, since newer ones have it in a module that is not to be had: it does not
    # start with the gRPC of the others.
    "pulumi-language-python": r".*",
    # The parts of Kubernetes, and the libraries that decide how the API server applies and checks objects.
    "kubernetes": r"k8s\.io/(?!klog|utils).*|sigs\.k8s\.io/(json|structured-merge-diff/v6)|github\.com/google/cel-go"
    r"|github\.com/antlr4-go/antlr/v4|golang\.org/x/exp",
}


class TestWhatToolsHaveInCommon:
    def test_is_of_one_version_so_that_it_is_compiled_once(self) -> None:
        versions: dict[str, dict[str, list[str]]] = {}
        for name in sorted({tool.module for tool in TOOLS.values()}):
            for path, version in read_module(name).versions().items():
                if not re.fullmatch(OF_ITS_RELEASE.get(name, ""), path):
                    versions.setdefault(path, {}).setdefault(version, []).append(name)

        differing = {path: of for path, of in versions.items() if len(of) > 1}
        assert not differing, "in each of them: go get PATH@HIGHEST && go mod tidy"


class TestJobs:
    def test_the_longest_comes_first_and_one_module_is_one_job(self) -> None:
        jobs = plan(list(TOOLS.values()), modules_dir=MODULES_DIR)
        assert jobs[0].module.name == "kubernetes"
        assert [job.cold_seconds for job in jobs] == sorted((job.cold_seconds for job in jobs), reverse=True)
        assert sorted(tool.name for job in jobs for tool in job.tools) == sorted(TOOLS)


class TestAMissingModule:
    def test_is_told_with_its_path(self, tmp_path: Path) -> None:
        with pytest.raises(ToolchainError, match=r"etcd/go\.mod is missing.*install it again"):
            read_module("etcd", modules_dir=tmp_path)

    def test_a_go_mod_without_the_tool(self) -> None:
        module = Module(name="etcd", go_mod=b"module x\n\ngo 1.26.0\n", go_sum=b"")
        with pytest.raises(ToolchainError, match=r"does not require go\.etcd\.io/etcd/server/v3"):
            module.version_of(TOOLS["etcd"])

    @pytest.mark.parametrize(
        "block", ["require go.etcd.io/etcd/server/v3 v3.9.1", "require (\n\tgo.etcd.io/etcd/server/v3 v3.9.1\n)"]
    )
    def test_both_forms_of_require_are_read(self, block: str) -> None:
        module = Module(name="etcd", go_mod=f"module x\n\ngo 1.26.0\n\n{block}\n".encode(), go_sum=b"")
        assert module.version_of(TOOLS["etcd"]) == "v3.9.1"
        assert module.needs_go() == (1, 26, 0)


INPUTS = st.fixed_dictionaries(
    {
        "comment": st.sampled_from(["", "// a\n", "// b\n"]),
        "version": st.sampled_from(["v3.6.7", "v3.6.8"]),
        "go_sum": st.sampled_from([b"", b"a h1:x=\n", b"a h1:y=\n"]),
        "package": st.sampled_from(["p", "q"]),
        "stamps": st.sampled_from([(), (("v", "{version}"),), (("v", "fixed"),)]),
        "scripts": st.sampled_from([(), ("s",)]),
        "system": st.sampled_from(["linux", "darwin"]),
        "machine": st.sampled_from(["amd64", "arm64"]),
    }
)


def key_of(inputs: dict) -> str:
    text = f"module m\n\ngo 1.26.0\n\nrequire go.etcd.io/etcd/server/v3 {inputs['version']}\n{inputs['comment']}"
    tool = replace(
        TOOLS["etcd"], package=inputs["package"], stamps=inputs["stamps"], scripts=inputs["scripts"], cold_seconds=1
    )
    return build_key(
        tool,
        Module(name="etcd", go_mod=text.encode(), go_sum=inputs["go_sum"]),
        target=Platform(system=inputs["system"], machine=inputs["machine"]),
    )


class TestTheKey:
    @given(one=INPUTS, other=INPUTS)
    def test_changes_exactly_when_what_is_built_changes(self, one: dict, other: dict) -> None:
        assert (key_of(one) == key_of(other)) == (one == other)

    @given(one=INPUTS, changed=st.sampled_from(["go_sum", "version", "system"]), other=INPUTS)
    def test_changes_with_one_input_alone(self, one: dict, changed: str, other: dict) -> None:
        two = {**one, changed: other[changed]}
        assert (key_of(one) == key_of(two)) == (one[changed] == two[changed])

    def test_does_not_change_with_how_long_a_build_takes_or_what_official_ones_are_used(self) -> None:
        tool = TOOLS["etcd"]
        same = replace(tool, cold_seconds=1, minimum=(9, 9, 9), reason="other")
        module, here = read_module("etcd"), Platform.here()
        assert build_key(tool, module, target=here) == build_key(same, module, target=here)


class TestVersions:
    @given(st.tuples(*[st.integers(min_value=0, max_value=99999)] * 3))
    def test_are_read_as_they_are_written(self, version: tuple[int, int, int]) -> None:
        assert parse_version(spell_version(version)) == version

    @pytest.mark.parametrize(
        ("text", "version"),
        [
            ("go1.26", (1, 26, 0)),
            ("go1.27rc1", (1, 27, 0)),
            ("v3.260.0-dev.0", (3, 260, 0)),
            ("Kubernetes v1.34.4+k3s1", (1, 34, 4)),
        ],
    )
    def test_with_what_stands_around_them(self, text: str, version: tuple[int, int, int]) -> None:
        assert parse_version(text) == version

    def test_no_version(self) -> None:
        with pytest.raises(ValueError, match="no version"):
            parse_version("devel")
