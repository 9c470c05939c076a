#!/usr/bin/env python3
"""Breaks one rule of the graph engine at a time, and says which test turns red.

Run from anywhere: `lab/engine_sabotage.py [PART OF A NAME]...`. It works on a copy of the workspace as git knows
it. Each entry is a name, a file below `model/src`, what is replaced, and by what.
"""
import os
import subprocess
import sys
import tempfile

GRAPH = "engine/graph/"
OBJECT = "kernel/object/"
BREAKAGES = [
    ('coherence: writes behind', GRAPH + 'relations.rs',
     'let mut bound = written.map_or(0, |position| position + 1);',
     'let mut bound = written.map_or(0, |_| 0);'),
    ('coherence: reads behind', GRAPH + 'relations.rs',
     'if !read.todo && read.in_past(hb) {',
     'if false && read.in_past(hb) {'),
    ('atomicity: splits', GRAPH + 'relations.rs',
     '.is_some_and(|&id| self.at(id).kind == Kind::Update)',
     '.is_some_and(|&id| self.at(id).kind == Kind::Update && false)'),
    ('SC: choices', GRAPH + 'search.rs',
     'latest || !self.graph.sc_matters(sc) || self.psc.holds(&self.graph)',
     'true'),
    ('SC: revisits', GRAPH + 'revisit.rs',
     'let holds = !graph.sc_matters(sc) || self.psc.holds(graph);',
     'let holds = true;'),
    ('SC: without fences matters not', GRAPH + 'relations.rs',
     'fences && all.nth(1).is_some()',
     'false'),
    ('psc: sb|loc;hb;sb|loc', GRAPH + 'psc.rs',
     'self.far.union(self.apart.row(b), row);',
     ''),
    ('psc: sb', GRAPH + 'psc.rs',
     'join(row, self.po.row(b));\n            self.far',
     'self.far'),
    ('psc: hb|loc', GRAPH + 'psc.rs',
     'if accesses(other) && event.location == other.location {\n                        set(row, a);',
     'if false {\n                        set(row, a);'),
    ('psc: mo and rb', GRAPH + 'psc.rs',
     'bits(&before).filter(|&a| a != write).for_each(|a| set(row, a));',
     'let _ = &row;'),
    ('psc: rb from readers', GRAPH + 'psc.rs',
     'reads.for_each(|read| set(&mut before, read));',
     'reads.for_each(drop);'),
    ('psc: eco of reads', GRAPH + 'psc.rs',
     'bits(&before).filter(|&a| a != read).for_each(|a| set(row, a));',
     'let _ = &row;'),
    ('psc: fence at the end', GRAPH + 'psc.rs',
     '            if fence {\n                join(&mut ends, self.hb.row(b));\n            }',
     ''),
    ('psc: fence at the start', GRAPH + 'psc.rs',
     'self.hb.union(&starts, &mut ends);\n            row.iter_mut()',
     'row.iter_mut()'),
    ('psc: psc_F', GRAPH + 'psc.rs',
     '// [F_sc] ; (hb ∪ hb ; eco ; hb) ; [F_sc]\n',
     'if true { continue; }\n'),
    ('psc: po over spawn', GRAPH + 'relations.rs',
     '0 => self.spawned_by(event.thread()),',
     '0 => None,'),
    ('hb: release sequence', GRAPH + 'relations.rs',
     'past.released.join(&from);',
     ''),
    ('hb: release store', GRAPH + 'relations.rs',
     'past.released = if releases(event.order) { past.hb } else { past.fence };',
     'past.released = past.fence;'),
    ('hb: release fence', GRAPH + 'relations.rs',
     'past.released = if releases(event.order) { past.hb } else { past.fence };',
     'past.released = if releases(event.order) { past.hb } else { Clock::default() };'),
    ('hb: acquire fence', GRAPH + 'relations.rs',
     'past.hb.join(&past.seen);',
     ''),
    ('hb: acquire load', GRAPH + 'relations.rs',
     'past.hb.join(&from)',
     'drop(from)'),
    ('hb: too strong, relaxed acquires', GRAPH + 'relations.rs',
     'past.seen.join(&from)',
     'past.hb.join(&from)'),
    ('hb: too strong, relaxed releases', GRAPH + 'relations.rs',
     'if releases(event.order) { past.hb } else { past.fence }',
     'past.hb'),
    ('hb: join', GRAPH + 'relations.rs',
     'past.hb.join(&self.past(last).hb);',
     ''),
    ('hb: end of thread', GRAPH + 'relations.rs',
     'past.hb.set(child, self.of(child).len() as u16 + 1);',
     ''),
    ('hb: child inherits fences', GRAPH + 'relations.rs',
     '(seen, fence) = (Clock::default(), Clock::default());',
     ''),
    ('mutex releases', OBJECT + 'mutex.rs',
     'self.released = edges.release();',
     ''),
    ('mutex: failed try_lock acquires', OBJECT + 'mutex.rs',
     'MutexAct::TryLock if self.holder.is_some() => return acquired::WOULD_BLOCK,',
     'MutexAct::TryLock if self.holder.is_some() => { edges.acquire(&self.released); return acquired::WOULD_BLOCK }'),
    ('rwlock: read acquires', OBJECT + 'rwlock.rs',
     'self.reads.push(end);\n                edges.acquire(&self.written);',
     'self.reads.push(end);'),
    ('rwlock: write acquires readers', OBJECT + 'rwlock.rs',
     '(ReadEndAct::Await, Some(ended)) => edges.acquire(ended),',
     '(ReadEndAct::Await, Some(_)) => {}'),
    ('rwlock: a failed try_write acquires', OBJECT + 'rwlock.rs',
     '(ReadEndAct::HasEnded, ended) => return u64::from(ended.is_some()),',
     '(ReadEndAct::HasEnded, ended) => { if let Some(c) = ended { edges.acquire(c) } return u64::from(ended.is_some()); }'),
    ('rwlock: held up', OBJECT + 'rwlock.rs',
     'self.writer.is_none() || !matches!(act, RwLockAct::Read { .. } | RwLockAct::Write)',
     'self.writer.is_none() || !matches!(act, RwLockAct::Write)'),
    ('rwlock: a faster reader', OBJECT + 'rwlock.rs',
     'self.writer.is_some() || self.reads.len() != reads',
     'self.writer.is_some() || (self.reads.len() != reads && false)'),
    ('channel: message', OBJECT + 'channel.rs',
     'edges.acquire(&sent);',
     ''),
    ('once: done acquires', OBJECT + 'once.rs',
     'edges.acquire(&self.released);\n                DONE',
     'DONE'),
    ('barrier: leave acquires', OBJECT + 'barrier.rs',
     'edges.acquire(&self.complete[generation]);',
     'let _ = generation;'),
    ('token: park acquires', OBJECT + 'token.rs',
     'edges.acquire(&self.released);',
     ''),
    ('condvar: permit counts', OBJECT + 'condvar.rs',
     'if self.open(reach) > self.permits.len() {',
     'if true {'),
    ('canonical: always', GRAPH + 'canonical.rs',
     'self.pins_hold(r, a) && self.is_canonical(r, a)',
     'self.pins_hold(r, a)'),
    ('canonical: never', GRAPH + 'canonical.rs',
     'self.pins_hold(r, a) && self.is_canonical(r, a)',
     'self.pins_hold(r, a) && false'),
    ('canonical: pins', GRAPH + 'canonical.rs',
     'self.pins_hold(r, a) && self.is_canonical(r, a)',
     'self.is_canonical(r, a)'),
    ('canonical: sources', GRAPH + 'canonical.rs',
     'if !self.sources_stay(r, a) {',
     'if false {'),
    ('canonical: latest', GRAPH + 'canonical.rs',
     'if !cause && !self.is_latest(id, latest) {',
     'if !cause && !self.is_latest(id, latest) && false {'),
    ('canonical: jump', GRAPH + 'canonical.rs',
     'there.join(&self.graph.past(source).causes);',
     ''),
    ('canonical: displaced', GRAPH + 'canonical.rs',
     'Some(&other) if now < end && Some(other) != next.id => NextAct::DisplacedBy(other),',
     ''),
    ('displace: by blocked', GRAPH + 'revisit.rs',
     'self.displace_by_blocked();',
     ''),
    ('displace: never', GRAPH + 'extend.rs',
     'self.displace(id);',
     ''),
    ('revisit: by updates', GRAPH + 'extend.rs',
     '} else if updates {\n            self.revisit(id);\n        }',
     '}'),
    ('revisit: in place of the rival', GRAPH + 'extend.rs',
     'self.revisit(id);\n            } else {',
     '} else {'),
    ('stutter: always repeated', GRAPH + 'waiting.rs',
     '&& (turn == Turn::Wait || repeated',
     '&& (turn == Turn::Wait || true'),
    ('stutter: never', GRAPH + 'waiting.rs',
     'let stutters = !goes_on',
     'let stutters = false && !goes_on'),
    ('stutter: effects ignored', GRAPH + 'waiting.rs',
     '            && !waiting.changed\n',
     ''),
    ('stutter: write back', GRAPH + 'waiting.rs',
     'event.kind == Kind::Update\n            &&',
     'false\n            &&'),
    ('stutter: old is not seen', GRAPH + 'search.rs',
     'if self.stutters() {',
     'if false {'),
    ('stutter: all is old', GRAPH + 'search.rs',
     'if self.stutters() {',
     'if true {'),
    ('stutter: loops that give up', GRAPH + 'waiting.rs',
     'None => return self.find_out(thread, site, causes),',
     'None => self.run.thread_mut(thread).waiting.stopped = Some((Stopped::Stutter, site)),'),
    ('stutter: sections old', GRAPH + 'waiting.rs',
     '_ if !is_old => {',
     '_ if true => {'),
    ('stutter: one decision for all causes', GRAPH + 'waiting.rs',
     'let causes = self.graph.signature_of_causes(thread, &self.names);',
     'let causes = 0;'),
    ('stutter: causes that are old', GRAPH + 'waiting.rs',
     'self.for_ever.insert(causes, false);\n                self.run.end',
     'self.for_ever.insert(causes, true);\n                self.run.end'),
    ('stutter: any foreign act', GRAPH + 'waiting.rs',
     'self.graph.at(id).thread() != thread && self.run.lasting[id as usize]',
     'self.graph.at(id).thread() != thread'),
    ('plain: reads against writes', GRAPH + 'plain.rs',
     'let other = plain.write.iter().chain(reads)',
     'let other = None.iter().chain(reads)'),
    ('plain: writes against reads', GRAPH + 'plain.rs',
     'plain.write.iter().chain(reads)',
     'plain.write.iter().chain(reads.take(0))'),
    ('plain: maker', GRAPH + 'plain.rs',
     'if !maker.is_known(me.thread, &hb) {',
     'if false {'),
    ('plain: freed', GRAPH + 'plain.rs',
     'Access::Free => plain.freed = Some(me),',
     'Access::Free => {}'),
    ('plain: steps before the end', GRAPH + 'plain.rs',
     'if access == Access::Free\n',
     'if false\n'),
    ('determinism', GRAPH + 'schedule.rs',
     'if !same {',
     'if false {'),
    ('poison: own panic', 'sync/checked/mutex.rs',
     'let poisons = !self.unwound && engine.panicking();',
     'let poisons = std::thread::panicking();'),
    ('choose: first branch only', GRAPH + 'extend.rs',
     'for branch in (1..options).rev() {',
     'for branch in (1..1).rev() {'),
    ('patience: causes of a time-out', GRAPH + 'relations.rs',
     'past.causes.set(thread, known.events.len() as u16);',
     'let _ = (thread, known);'),
    ('patience: a time-out is a cause of later events', GRAPH + 'relations.rs',
     'if let Some(time_out) = self.time_out {\n            past.causes',
     'if let Some(time_out) = self.time_out.filter(|_| false) {\n            past.causes'),
    ('patience: a time-out is a cause of later acts', GRAPH + 'relations.rs',
     'if let Some(time_out) = self.time_out {\n            causes',
     'if let Some(time_out) = self.time_out.filter(|_| false) {\n            causes'),
    ('patience: only one times out', GRAPH + 'extend.rs',
     'if thread != threads[0] {\n                self.later(id);',
     'if thread != threads[0] {'),
    ('patience: loops are not resumed', GRAPH + 'schedule.rs',
     'self.resume_loops();',
     ''),
    ('patience: loops that poll are resumed', GRAPH + 'waiting.rs',
     ' && !self.timed_out.1',
     ''),
    ('patience: loops that ran on are resumed', GRAPH + 'revisit.rs',
     '!waits.is_empty() && self.has_run_on()',
     'false'),
    ('patience: where a loop would go on', GRAPH + 'revisit.rs',
     ' || self.stutters()',
     ''),
    ('patience: nothing is displaced', GRAPH + 'revisit.rs',
     'self.displace_by_blocked();\n        let',
     'let'),
    ('patience: SC', GRAPH + 'sequential.rs',
     'ids.extend(0..id);',
     ''),
    ('stutter: only the turn before', GRAPH + 'waiting.rs',
     '.chain(&waiting.earlier).any',
     '.chain([]).any'),
]
TESTS = ["engine", "std_oracle"]


def first_red(copy, target):
    """The tests that fail in the first test binary that does."""
    for test in TESTS:
        environment = dict(os.environ, RUSTFLAGS="--cfg loom", RUST_BACKTRACE="0", SELVEDGE_PROGRAMS="40",
                           ORACLE_AGREE="20", CARGO_TARGET_DIR=target)
        command = ["timeout", "-k", "2", "400", "cargo", "test", "--quiet", "-p", "selvedge-model", "--test", test]
        run = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        if run.returncode in (124, 137):
            return f"{test}: does not end"
        if "could not compile" in run.stderr:
            return "DOES NOT BUILD"
        if run.returncode:
            lines = run.stdout.splitlines()
            red = [line.split()[0] for line in lines if line.endswith("--- FAILED")]
            return f"{test}: {', '.join(red) or 'crash'}"
    return "SURVIVED"


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    target = os.path.join(root, "target", "sabotage")
    with tempfile.TemporaryDirectory() as copy:
        files = subprocess.run(["git", "archive", "HEAD"], cwd=root, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x"], cwd=copy, input=files, check=True)
        if (red := first_red(copy, target)) != "SURVIVED":
            sys.exit(f"nothing is broken yet, and there is {red}")
        for name, file, old, new in BREAKAGES:
            if sys.argv[1:] and not any(part in name for part in sys.argv[1:]):
                continue
            path = os.path.join(copy, "model", "src", file)
            with open(path) as source:
                text = source.read()
            if old not in text:
                print(f"{name} | NOT FOUND", flush=True)
                continue
            with open(path, "w") as source:
                source.write(text.replace(old, new, 1))
            print(f"{name} | {first_red(copy, target)}", flush=True)
            with open(path, "w") as source:
                source.write(text)


main()
