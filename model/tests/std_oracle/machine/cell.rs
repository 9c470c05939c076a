//! Memory that is not atomic.

use super::clock::Clock;
use super::step::{Step, Taken};
use super::{Failed, State};

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Cell {
    pub(super) value: u64,
    pub(super) read: Clock,
    pub(super) written: Clock,
}

impl Step<'_> {
    /// Touches memory. `false` if that is a race.
    pub(super) fn touch(&mut self, cell: impl Fn(&mut State) -> &mut Cell, writes: bool) -> bool {
        let me = self.number;
        self.me().clock[me] += 1;
        let clock = self.clock();
        let cell = cell(self.state);
        let ordered = |past: &Clock| past.iter().zip(&clock).all(|(past, now)| past <= now);
        let race = !ordered(&cell.written) || writes && !ordered(&cell.read);
        if writes {
            cell.written[me] = clock[me];
            cell.value += 1;
        } else {
            cell.read[me] = clock[me];
        }
        if race {
            self.state.failed = Some(Failed::DataRace);
        }
        !race
    }

    pub(super) fn read_cell(&mut self, c: usize) -> Taken {
        self.touch(|state| &mut state.cells[c], false);
        self.log(self.state.cells[c].value);
        self.done()
    }

    pub(super) fn write_cell(&mut self, c: usize) -> Taken {
        self.touch(|state| &mut state.cells[c], true);
        self.done()
    }
}
