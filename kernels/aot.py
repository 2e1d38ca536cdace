"""Compiles a Triton kernel for a chip that is not there and reads what the machine code costs.

In: a jit function, an architecture, the types of its arguments. Out: a frozen `KernelReport`.
Needs the triton wheel alone (it brings ptxas, cuobjdump and nvdisasm): no GPU, driver or CUDA
toolkit. Must not run a kernel, nor know any. For tests and benchmarks.
"""

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

ELEMENT_NAMES = {torch.float16: "fp16", torch.bfloat16: "bf16", torch.float32: "fp32"}
"""What a signature calls a dtype: `*bf16` is a pointer to bfloat16."""

KIB = 1024
SHARED_LIMIT_BYTES = {
    80: 163 * KIB,
    86: 99 * KIB,
    89: 99 * KIB,
    90: 227 * KIB,
    100: 227 * KIB,
    120: 99 * KIB,
}
"""Shared memory that one block may use; CUDA C++ Programming Guide, table "Technical
Specifications per Compute Capability"."""

_INSTRUCTION = re.compile(
    r"^\s*(?:(?P<label>\.L_\w+):|/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?(?P<opcode>[A-Z][\w.]*)(?P<operands>[^;]*);)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class KernelReport:
    """What a compiled kernel needs, and the instructions that its code consists of.

    `opcodes` counts every instruction by its full name (`MUFU.EX2`); `loops` does the same for
    the body of every loop, innermost and outer ones alike, in the order of their ends.
    `code` and `loop_code` have the same as it is written: a name and its operands per instruction.
    """

    arch: int
    num_warps: int
    registers: int
    stack_bytes: int
    spill_store_bytes: int
    spill_load_bytes: int
    shared_bytes: int
    opcodes: Mapping[str, int]
    loops: tuple[Mapping[str, int], ...]
    code: tuple[str, ...] = ()
    loop_code: tuple[tuple[str, ...], ...] = ()

    @property
    def spill_bytes(self) -> int:
        """Bytes that the code moves between registers and thread-local memory."""
        return self.spill_store_bytes + self.spill_load_bytes

    @property
    def shared_limit_bytes(self) -> int:
        """Shared memory that a block may use on this architecture."""
        return SHARED_LIMIT_BYTES[self.arch]

    def count(self, opcode: str) -> int:
        """Instructions of a name, modifiers left open: "HGMMA" counts HGMMA.64x64x16.F32 too."""
        return count(self.opcodes, opcode)


def count(opcodes: Mapping[str, int], opcode: str) -> int:
    """Instructions of a name among counted ones, further modifiers left open.

    Args:
        opcodes: counts by full name.
        opcode: a name or the start of one, up to a dot: "MUFU.EX2", "HGMMA".

    Returns:
        How many there are.
    """
    return sum(n for name, n in opcodes.items() if name == opcode or name.startswith(f"{opcode}."))


def compile_report(
    kernel: Any,
    *,
    arch: int,
    signature: Mapping[str, str],
    constants: Mapping[str, object],
    options: Mapping[str, object],
    aligned: Collection[str] = (),
) -> KernelReport:
    """Compile a kernel ahead of time and read its costs from the machine code.

    Args:
        kernel: a function under `triton.jit` or Gluon's `jit`.
        arch: 10 x major + minor compute capability, one of `SHARED_LIMIT_BYTES`.
        signature: type of every argument that is no constant: "*bf16" (see `ELEMENT_NAMES`),
            "i32", "fp32".
        constants: values of the `tl.constexpr` arguments.
        options: num_warps, num_stages, enable_fp_fusion and other launch options.
        aligned: arguments promised to be multiples of 16 (pointers and strides of contiguous
            tensors; a launch finds that out by itself). Without it loads are not vectorised.

    Returns:
        The report.

    Raises:
        ValueError: for an unknown architecture, or arguments that are not the kernel's.
        RuntimeError: in a process where triton interprets its kernels (TRITON_INTERPRET=1).
    """
    if arch not in SHARED_LIMIT_BYTES:
        raise ValueError(f"arch is {arch}; allowed: {', '.join(map(str, SHARED_LIMIT_BYTES))}")
    compiled = _compile(kernel, arch, {**signature}, {**constants}, aligned, options)
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        cubin.write_bytes(compiled.asm["cubin"])
        usage = _run_tool("cuobjdump", "--dump-resource-usage", cubin)
        sass = _disassembled(cubin)
    code, loop_code = _read(sass)
    opcodes = Counter(line.split()[0] for line in code)
    return KernelReport(
        arch=arch,
        num_warps=compiled.metadata.num_warps,
        registers=_field(usage, "REG"),
        stack_bytes=_field(usage, "STACK"),
        spill_store_bytes=_local_bytes(opcodes, "STL"),
        spill_load_bytes=_local_bytes(opcodes, "LDL"),
        shared_bytes=compiled.metadata.shared,
        opcodes=opcodes,
        loops=tuple(Counter(line.split()[0] for line in body) for body in loop_code),
        code=code,
        loop_code=loop_code,
    )


def _compile(
    kernel: Any,
    arch: int,
    signature: dict[str, str],
    constants: dict[str, object],
    aligned: Collection[str],
    options: Mapping[str, object],
) -> Any:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    if not isinstance(kernel, triton.JITFunction):
        raise RuntimeError("triton interprets its kernels here; unset TRITON_INTERPRET to compile")
    names = list(kernel.arg_names)
    if sorted(names) != sorted([*signature, *constants]) or not set(aligned) <= set(names):
        raise ValueError(
            f"signature, constants and aligned name {sorted({*signature, *constants, *aligned})}; "
            f"the kernel's arguments are {names}, each either typed or a constant"
        )
    if kernel.is_gluon():
        from triton.experimental.gluon._runtime import GluonASTSource as ASTSource
    source = ASTSource(
        fn=kernel,
        signature={name: signature.get(name, "constexpr") for name in names},
        constexprs={(names.index(name),): value for name, value in constants.items()},
        attrs={(names.index(name),): [["tt.divisibility", 16]] for name in aligned},
    )
    return triton.compile(source, target=GPUTarget("cuda", arch, 32), options={**options})


def _disassembled(cubin: Path) -> str:
    """The code as text, from triton's own cache where the very same code was read before.

    nvdisasm takes longer to start than triton to find a compiled kernel in its cache.
    """
    from triton import knobs
    from triton.runtime.cache import get_cache_manager

    tool = knobs.nvidia.nvdisasm
    cache = get_cache_manager(sha256(f"{tool.version}\0".encode() + cubin.read_bytes()).hexdigest())
    kept = cache.get_file("kernel.sass")
    if kept is None:
        kept = cache.put(_run_tool("nvdisasm", "-c", cubin), "kernel.sass", binary=False)
    return Path(kept).read_text()


def _run_tool(name: str, *arguments: str | Path) -> str:
    from triton import knobs

    tool = getattr(knobs.nvidia, name).path
    done = subprocess.run([tool, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def _field(usage: str, name: str) -> int:
    found = re.search(rf"\b{name}:(\d+)", usage)
    if found is None:
        raise RuntimeError(f"cuobjdump reports no {name}: {usage.strip()!r}")
    return int(found[1])


def _read(sass: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Find all instructions, and each loop's: from a label to a branch back to it."""
    code: list[str] = []
    labels: dict[str, int] = {}
    loops: list[tuple[str, ...]] = []
    for line in _INSTRUCTION.finditer(sass):
        if line["label"]:
            labels[line["label"]] = len(code)
            continue
        code.append(line["opcode"] + line["operands"].rstrip())
        target = re.search(r"`\((\.L_\w+)\)", line["operands"])
        # A branch to itself fills the end of every kernel.
        if target and labels.get(target[1], len(code)) < len(code) - 1:
            loops.append(tuple(code[labels[target[1]] :]))
    return tuple(code), tuple(loops)


def _local_bytes(opcodes: Mapping[str, int], opcode: str) -> int:
    total = 0
    for name, times in opcodes.items():
        if name == opcode or name.startswith(f"{opcode}."):
            width = re.search(r"\.[US]?(\d+)$", name)
            total += times * int(width[1] if width else 32) // 8
    return total
