"""Writes std-<version>.txt: the stable items and trait implementations of the types that the façade has, as the
documentation says that comes with the toolchain (`rustup component add rust-docs`).

    python3 model/tests/parity/names_of_std.py > model/tests/parity/std-1.95.txt
"""

import html
import pathlib
import re
import subprocess

MODULES = {
    "sync": ["Arc", "Weak", "Barrier", "BarrierWaitResult", "Condvar", "WaitTimeoutResult", "LazyLock", "Mutex",
             "MutexGuard", "Once", "OnceState", "OnceLock", "RwLock", "RwLockReadGuard", "RwLockWriteGuard"],
    "sync/atomic": ["AtomicBool", "AtomicPtr", "AtomicU8", "AtomicU16", "AtomicU32", "AtomicU64", "AtomicUsize",
                    "AtomicI8", "AtomicI16", "AtomicI32", "AtomicI64", "AtomicIsize"],
    "sync/mpsc": ["Sender", "SyncSender", "Receiver", "Iter", "TryIter", "IntoIter"],
    "thread": ["Builder", "JoinHandle", "ScopedJoinHandle", "Scope", "Thread", "ThreadId", "LocalKey", "AccessError"],
    "cell": ["UnsafeCell"],
}
# What std itself does not document as a promise, or what is unstable though the page does not say so.
UNSTABLE = {"Allocator", "ByteStr", "CloneFromCell", "CoerceUnsized", "DerefPure", "DispatchFromDyn", "Freeze",
            "PinCoerceUnsized", "UnsafeUnpin", "UseCloned", "StructuralPartialEq"}
WINDOWS = {"AsHandle", "AsRawHandle", "AsSocket", "IntoRawHandle", "OwnedHandle"}
# What has no meaning for a caller, and lifetimes in the name of a type.
LIFETIMES = r"'\w+(, )?"


def text(markup):
    return " ".join(html.unescape(re.sub("<[^>]+>", "", markup)).split())


def entries(page, kind, tag):
    """The sections of a kind: the header, the version since which it is stable, what follows."""
    for section in re.finditer(rf'<section id="{kind}[^"]*" class="[^"]*">(.*?)</section>', page, re.S):
        code = re.search(rf'<{tag} class="code-header">(.*?)</{tag}>', section[1], re.S)
        since = re.search(r'class="since"[^>]*>(.*?)</span>', section[1])
        after = page[section.end():section.end() + 900].split("docblock")[0].split("<section")[0]
        if code and "unstable" not in after:
            yield text(code[1]), since and text(since[1]).split()[0]


def trait_of(code):
    """`impl<T: Debug> Debug for Mutex<T> where …` as `Debug for Mutex<T>`; None if it is unstable."""
    code = code.replace("->", "")
    code = re.sub(r",? ?\bA: Allocator( \+ [\w']+)*,?", "", code).replace(", A>", ">")
    depth, end = 0, 4
    if code[4] == "<":
        for end, letter in enumerate(code[4:], 5):
            depth += {"<": 1, ">": -1}.get(letter, 0)
            if not depth:
                break
    code = code[end:].split("where")[0].strip()
    name, _, of = code.partition(" for ")
    words = set(re.findall(r"\w+", code))
    return None if words & (UNSTABLE | WINDOWS) or name == "Drop" else f"{name} for {re.sub(LIFETIMES, '', of).replace('<>', '').replace('& ', '&')}"


def implementations(page, name):
    parts = re.split(r'id="(implementations|deref-methods-[^"]*|trait-implementations|synthetic-implementations'
                     r'|blanket-implementations)"', page)
    sections = {}
    for title, body in zip(parts[1::2], parts[2::2]):
        sections.setdefault(title, body)
    for code, since in entries(sections.get("implementations", ""), r"method\.", "h4"):
        method = re.search(r"\bfn (\w+)", code)
        if since and method:
            yield since, f"{name}::{method[1]}"
            if re.search(r"\bconst (unsafe )?fn", code):
                yield since, f"const {name}::{method[1]}"
    for title in ("trait-implementations", "synthetic-implementations"):
        for code, since in entries(sections.get(title, ""), "impl-", "h3"):
            name_of_trait = trait_of(code)
            if name_of_trait:
                yield since or "-", name_of_trait


def names(page):
    """The stable items of a module."""
    for item in re.finditer(r'<dt[^>]*><a class="(struct|enum|fn|constant|type|macro)" href="[^"]*" title="\w+ ([^"]*)">'
                            r'(.*?)</dt>', page):
        if "unstable" not in item[3]:
            yield "-", f"use {item[2].removeprefix('std::')}" + (" deprecated" if "deprecated" in item[3] else "")


def main():
    root = pathlib.Path(subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip())
    docs = root / "share/doc/rust/html/std"
    version = subprocess.check_output(["rustc", "--version"], text=True).split()[1]
    print(f"# std {version}, by names_of_std.py")
    for module, types in MODULES.items():
        if module != "cell":
            print(f"\n[{module.replace('/', '::')}]")
            for since, key in names((docs / module / "index.html").read_text()):
                print(f"{since:8}{key}")
        for name in types:
            page = docs / module / f"struct.{name}.html"
            if "Redirecting" in page.read_text()[:400]:
                page = (page.parent / re.search(r'URL=([^"]+)"', page.read_text())[1]).resolve()
            print(f"\n[{module.replace('/', '::')}::{name}]")
            for key, since in {key: since for since, key in implementations(page.read_text(), name)}.items():
                print(f"{since:8}{key}")


main()
