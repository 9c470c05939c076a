//! Why the exploration is sound, complete and optimal. For a reader who knows the `TruSt` paper.
//!
//! # What differs from the paper
//!
//! 1. **Blocking is enabledness.** A thread whose next step is an act that is not enabled is not
//!    scheduled. So there are no blocked executions but deadlocks, and those in which a thread is in an
//!    [attempt](crate::kernel::Operation::is_attempt), which are visited and not shown. An act that is to come before
//!    others on its object *displaces* the first of them: that one is removed, not redirected, and comes
//!    again when it is enabled.
//! 2. **Stamps do not decide maximality**, since which thread is scheduled depends on the graph.
//!    Instead the scheduler is replayed on the graph (`canonical`).
//! 3. **An update is one event**, which keeps its place in the graph when it is redone after a revisit,
//!    and is then a new write with revisits of its own.
//!
//! # Terms
//!
//! A *graph* is a set of events with its reads-from, modification orders, orders of acts and branches,
//! together with the order in which its events were added. The *causes* of an event are what
//! (po ∪ rf ∪ order of acts)⁺ leads from; spawns and joins are in po. A set of events is *closed* if it
//! holds the causes of its events. The *scheduler* takes the first thread, in a fixed order of
//! threads, whose next step is enabled in the graph. The *latest* choice is to read the last write, to
//! write at the end of modification order, to come last on an object, to take branch 0, or not to fail without a
//! cause. The *source* of an event is what it reads, or the act before it.
//!
//! What a thread does next is a function of its own events and of the values that they read, so of
//! a closed set. A thread that stopped by the stutter rule is one that is never enabled.
//!
//! Three facts about the model (C++20 with po ∪ rf acyclic, orders of acts included):
//!
//! - **F1.** A closed part of a consistent graph is consistent: happens-before and coherence order between the
//!   events that remain are the same, and fewer events make fewer cycles.
//! - **F2.** A step added by the latest choice keeps a graph consistent: no edge leads away from it. A read
//!   of the last write has no from-read edge, a write at the end is before nothing.
//! - **F3.** What is added at some point is no cause of what was there before.
//!
//! # Guided building
//!
//! Let `E` be a consistent graph (its order of addition ignored), closed, such that each of its threads
//! ends, waits or is cut off somewhere. *Building `E`* is a sequence of closed parts of `E`, the *stages*,
//! from the empty graph on. At stage `G`, the scheduler picks a thread, and `e` is its next step:
//!
//! - **(a)** The source of `e` in `E` is in `G` (for an act: is the last act on the object in `G`), or `e`
//!   has none. Then `G ∪ {e}` is next.
//! - **(b)** `e` is a read whose source `w` is not in `G`: then `G ∪ {e} ∪ causes(w)`, with `w`, is next.
//! - **(c)** `e` is an act, and the first act on its object in `E` that is not in `G` is `w`, another one:
//!   then `G ∪ causes(w)`, with `w`, is next, and `e` is not in it.
//!
//! The last stage is `E`, unless the scheduler picks a step that `E` does not have; then `E` is not
//! *buildable*. Executions that the search is to find, in which no thread has an enabled step left, are
//! buildable: there is always a next stage as long as `G ≠ E`. Take an event of `E` of which all causes
//! are in `G`. If it is an act, `G` has exactly the acts before it, so it is enabled in `G` as it was in
//! `E`. So some thread is picked. Its step belongs to `E`, or is an act that (c) displaces: if it were
//! neither, `E` would end with a step that is enabled.
//! Stages depend on `E` only, not on how `E` was found.
//!
//! # The canonical graph of a revisit
//!
//! Consider (b) or (c) at stage `G`, with `e` and `w`. Let `T = G ∪ causes(w)` without `w`, the
//! *targets*. The graph `X(G, e, w)` is built from `G` in the same way, with `e` among the steps that are
//! no targets:
//!
//! - targets choose as in `E` (their mutual order in modification order is that of `E`);
//! - all others choose the latest among what is there and all of `T`, whether it is there yet or not; so an
//!   act that is no target waits until the targets of its object are there, by (c), and a read of a
//!   target that is not there yet is case (b);
//! - until the scheduler picks `w`, or until no thread is enabled (`w` may be disabled where it stands,
//!   and enabled before `e`).
//!
//! **L1.** *It comes to its end with all targets there.* As above: a target of which all causes are
//! there is enabled, since no act that is no target has come before it on its object. So as long as
//! targets are missing some thread is picked, and each pick adds an event; a run has finitely many.
//!
//! **L2.** *No edge of hb, rf, mo or fr leads from what is no target to a target*, and so `X`, each of its
//! stages, and `X ∪ {w}` with its source in `E` are consistent. What is no target is no cause of one, so
//! there is no hb or rf; it writes behind all targets, and reads nothing that is before a target. So `X`
//! could as well be added to `T` event by event, by latest choices: F1 for `T`, F2 for the rest. As to
//! `w`: hb and rf lead from it to nothing. If mo or fr lead from it to some `n`, then `n` wrote behind
//! the source of `w`, and what leads to `w` by fr, from a reader of that source, leads to `n`
//! already; and from `n` to the causes of `w` nothing leads. So a cycle through `w` is there without `w`,
//! in the SC axiom too. (Atomicity may be violated by `w` and the update that reads its source.
//! That one is no target; it is what has to go. `extend_read` does not add such a `w` except to revisit.)
//!
//! # Complete
//!
//! **Claim.** *Every stage of every buildable `E` is visited.* By induction over stages; and for each
//! stage over the size of `causes(w) \ G`. Let `G` be visited. In case (a) the scheduler picks `e` at `G`,
//! and `extend` leaves every consistent choice for later; `G ∪ {e}` is consistent by F1. In case (b) and
//! (c), `X(G, e, w)` is built from `G` by the same kinds of stages, each consistent by L2: (a) with a choice
//! of `E` or the latest one; or (b) and (c) with a source among `causes(w) \ {w}`, which is smaller. So
//! `X` is visited. There the scheduler picks `w`, or `w` waits and `displace_by_blocked` asks for it. `w`
//! is added, by each source that it can have, and revisits `e`: `may_replace` answers yes, for this
//! graph is `X`, and what it asks besides holds because `G` is a stage (see below). The result is the
//! next stage, for each position of `w` in modification order that coherence, atomicity and the SC axiom
//! allow.
//!
//! # Optimal
//!
//! **Claim.** *No graph is visited twice.* Every visited graph `N` is the last stage of building `N`, and
//! its events were added in the order of the stages. For a forward step from a visited graph this is
//! (a). For a revisit of `r` by `a` it holds by the two checks besides the canonical graph. Let `B` be what
//! was added before `r`.
//!
//! - `sources_stay`: if an event of `B` reads from what goes away, `N` is not closed. It also says
//!   that `r` does not stand among the causes added by a stage (b), of which the read stays and
//!   the source goes.
//! - `pins_hold`: the same for stage (c). The displaced act is not in the graph; the pin of the act
//!   that displaced it says where the stage began.
//!
//! So `B` is a stage of building `N`: the stages so far depend on sources and displacing acts which are all in
//! `N`. At `B` the scheduler picks `r`, as it did before, and the next stage is (b) or (c) with `a`, and is `N`.
//! Now the stage before `N`, and whether it was left by (a), (b) or (c), is a function of `N`. If by (a), `N`
//! comes from that stage and from nowhere else, since revisits end in (b) and (c). If by (b) or (c), `N`
//! comes from `X(B, r, a)`, which is a function of `N`; that is what `is_canonical` checks. By
//! induction over stages and the size of the causes, the graph that `N` comes from is visited once, and
//! so is `N`.
//!
//! An update that is redone after a revisit is a step whose source is given: it is case (b) for what it reads,
//! and the `w` of what it then revisits. Its place in the order is that of `e` in (b). If it is a weak exchange that
//! succeeds, that it fails is another choice with the same source: left for later when it is redone, as in (a).
//!
//! # Patience
//!
//! With [`Policy::patient`](crate::kernel::Policy::patient) a wait with a limit is a blocking act. Where no
//! thread has an enabled step, the graph `S` is not a deadlock that a loop would leave in the end, and
//! some threads wait with a limit, each of these may time out: a choice of one of them, taken where `S`
//! has been visited, with an event in place of its act. *All* events of `S` are its causes, and it is a cause of
//! *whatever is added later* (it is not in hb: time orders no memory). So no later write revisits, and
//! no later act displaces, an event of `S`: what comes after the time-out is explored as if `S` had been
//! there from the start, and the argument above holds for it with stages that begin at `S`. Blocked acts
//! displace at `S`, before the time-out is added; afterwards `S` stays as it is. Each `S` is visited once, and
//! each choice taken once, so no graph is visited twice; `S` is not shown as an execution.
//!
//! Loops that have stopped by the stutter rule are part of `S`. They found the newest there, and can take the same
//! turns again; so after the time-out they are resumed, and take turns that later writes can revisit, until they have
//! found something else, or a turn ends where they had stopped: if turns end at several places, each is come to. A replay
//! keeps that order: all of `S` takes place before the time-out, and what was added later after it. So each thread
//! is there where it was when the time-out was added, and a loop that has taken its turn since is not resumed for
//! another one. A thread that stopped in a turn in which its own time was up is not resumed: without that turn,
//! which changed nothing, it waits still, and another choice at an earlier `S` lets other threads go on from
//! there.
//!
//! # What is not covered
//!
//! - After a data race the run is given up, so graphs that would be reached from there may be missed. The
//!   race is reported.
//! - A thread stopped by a limit makes the result bounded. Stops depend on the events of the thread
//!   alone, so the argument holds for the bounded program.
//! - The SC axiom of a revisited update is checked when it is redone; the run is given up then
//!   (`Report::inconsistent`), and no graph with it is visited.
//!
//! # The other mode
//!
//! With [`Config::hashes`](super::Config::hashes), `is_canonical` and `pins_hold` are not asked: every
//! revisit is taken whose sources stay. Completeness needs only that revisits are taken, so it does not depend
//! on this argument. Graphs met before are dropped, told apart with the order in which their events were
//! added, since that decides what a revisit keeps; whole graphs are told apart without it. The tests hold
//! the two modes against each other, with the scheduler's preference reversed as well.
