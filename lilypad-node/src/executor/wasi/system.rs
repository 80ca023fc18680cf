//! Calls about the program itself and the world: arguments, environment, clocks, sleep, randomness.

use std::time::{Duration, SystemTime};

use rand::RngCore;

use super::file::nanoseconds;
use super::memory::Memory;
use super::{Errno, Interrupt, Process, Stop};

/// The clock that shows the time of day.
const REALTIME: u32 = 0;
/// The other clocks: one that never goes back, and the processor time of the process and the thread, which it stands in for.
const OTHER_CLOCKS: std::ops::RangeInclusive<u32> = 1..=3;
/// The length of what a program waits for.
const SUBSCRIPTION: u32 = 48;
/// The length of what happened.
const EVENT: u32 = 32;
/// The most things to wait for in one call.
const MAX_SUBSCRIPTIONS: u32 = 1024;
/// Random bytes made between two looks at whether the program has to stop.
const RANDOM_CHUNK: usize = 1 << 20;

/// What a program waits for.
#[derive(Debug)]
enum Wait {
    /// Time to pass.
    Time(Duration),
    /// A descriptor to be ready, which files and streams always are.
    Ready,
}

impl Process {
    /// `clock_time_get`: nanoseconds.
    pub(super) fn now(&self, clock: u32) -> Result<u64, Errno> {
        match clock {
            REALTIME => Ok(nanoseconds(SystemTime::now())),
            clock if OTHER_CLOCKS.contains(&clock) => {
                Ok(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
            }
            _ => Err(Errno::Inval),
        }
    }

    /// `random_get`.
    pub(super) fn random(&self, buffer: &mut [u8]) -> Result<(), Interrupt> {
        for chunk in buffer.chunks_mut(RANDOM_CHUNK) {
            self.watch.check()?;
            rand::rng().fill_bytes(chunk);
        }
        Ok(())
    }

    /// `poll_oneoff`: writes what will have happened, then sleeps until it has.
    ///
    /// The order is safe, as nobody can look at the program's memory in between, and it leaves the sleep as the last thing to do: a
    /// [`Stop::Sleep`] from which the program goes on as if the call had just returned.
    pub(super) fn poll(
        &self,
        memory: &mut Memory<'_>,
        list: u32,
        events: u32,
        count: u32,
        happened: u32,
    ) -> Result<(), Interrupt> {
        if count == 0 || count > MAX_SUBSCRIPTIONS {
            return Err(Errno::Inval.into());
        }
        let mut waits = Vec::new();
        for index in 0..count {
            let at = list.checked_add(index * SUBSCRIPTION).ok_or(Errno::Fault)?;
            let subscription: [u8; SUBSCRIPTION as usize] = memory.array(at)?;
            waits.push((subscription, self.wait_of(&subscription)));
        }
        // Anything that is ready, or wrong, ends the waiting at once.
        let pause = waits.iter().map(|(_, wait)| match wait {
            Ok(Wait::Time(duration)) => *duration,
            Ok(Wait::Ready) | Err(_) => Duration::ZERO,
        });
        let pause = pause.min().unwrap_or_default();
        let mut written = 0;
        for (subscription, wait) in waits {
            let mut event = [0; EVENT as usize];
            event[..8].copy_from_slice(&subscription[..8]);
            event[10] = subscription[8];
            match wait {
                Ok(Wait::Time(duration)) if duration > pause => continue,
                Ok(Wait::Time(_)) => {}
                Ok(Wait::Ready) => event[16..24].copy_from_slice(&1u64.to_le_bytes()),
                Err(errno) => event[8..10].copy_from_slice(&(errno as u16).to_le_bytes()),
            }
            let at = events.checked_add(written * EVENT).ok_or(Errno::Fault)?;
            memory.write(at, &event)?;
            written += 1;
        }
        memory.write_size(happened, written as usize)?;
        if pause.is_zero() { Ok(()) } else { Err(Interrupt::Stop(Stop::Sleep(pause))) }
    }

    fn wait_of(&self, subscription: &[u8; SUBSCRIPTION as usize]) -> Result<Wait, Errno> {
        // The fields after the user's own eight bytes: kind, then, eight bytes on, a clock or a descriptor, a time, flags.
        let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|index| subscription[at + index]));
        match subscription[8] {
            0 => {
                let timeout = u64::from(number(24)) | u64::from(number(28)) << 32;
                let clock = number(16);
                let is_absolute = subscription[40] & 1 != 0;
                let now = self.now(clock)?;
                let left = if is_absolute { timeout.saturating_sub(now) } else { timeout };
                Ok(Wait::Time(Duration::from_nanos(left)))
            }
            1 | 2 => self.descriptors.get(number(16)).map(|_| Wait::Ready),
            _ => Err(Errno::Inval),
        }
    }
}

/// `args_sizes_get` and `environ_sizes_get`: how many strings there are, and their bytes with the zero after each.
pub(super) fn write_sizes(
    strings: &[String],
    memory: &mut Memory<'_>,
    count: u32,
    bytes: u32,
) -> Result<(), Interrupt> {
    memory.write_size(count, strings.len())?;
    Ok(memory.write_size(bytes, strings.iter().map(|string| string.len() + 1).sum())?)
}

/// `args_get` and `environ_get`: where each string is, and the strings with a zero after each.
pub(super) fn write_strings(
    strings: &[String],
    memory: &mut Memory<'_>,
    list: u32,
    buffer: u32,
) -> Result<(), Interrupt> {
    let (mut list, mut buffer) = (list, buffer);
    for string in strings {
        memory.write(list, &buffer.to_le_bytes())?;
        memory.write(buffer, string.as_bytes())?;
        let zero =
            u32::try_from(string.len()).ok().and_then(|length| buffer.checked_add(length)).ok_or(Errno::Fault)?;
        memory.write(zero, &[0])?;
        list = list.checked_add(4).ok_or(Errno::Fault)?;
        buffer = zero.checked_add(1).ok_or(Errno::Fault)?;
    }
    Ok(())
}
