//! The words in shared memory and their algorithms, a file each. They know no segment and no
//! handle.

mod cell;
pub(crate) mod face;
mod join;
mod pace;
pub(crate) mod pages;
pub(crate) mod position;
pub(crate) mod queue;
pub(crate) mod queue_await;
pub(crate) mod queue_get;
pub(crate) mod queue_many;
mod queue_place;
mod queue_put;
mod record;
mod ring;
mod spins;
pub(crate) mod spsc;
pub(crate) mod spsc_ends;

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::cell::{AtomicU64, Deadline, Error, LockError};
    use super::face::Face;
    use super::queue::{Own, QueueWords, Shape, View};
    use super::queue_put::is_passed;
    use super::ring::Ring;
    use super::spsc::{SpscShape, SpscView, SpscWords};

    #[test]
    fn words_of_zeros_are_an_empty_queue() {
        let segment = purlin_shm::Segment::anonymous(4096).unwrap();
        let units: Vec<AtomicU64> = (0..4).map(|_| AtomicU64::new(0)).collect();
        let (words, own) = (QueueWords::zeroed(), Own::default());
        let shape = Shape { count_max: 1, size_max: 8, face: Face::PLAIN };
        let view = View::new(&words, &units, segment.attachment(), shape, &own);
        assert_eq!((view.len(), view.get_now(&mut [0; 8])), (0, None));
        assert!(view.put_now(b"one"));
        assert_eq!((view.len(), view.get_now(&mut [0; 8])), (1, Some(3)));
    }

    /// Of a call that did not start it, or started a copy, each further wait would begin anew.
    #[test]
    fn a_limit_of_a_call_is_one_for_all_its_waits() {
        let segment = purlin_shm::Segment::anonymous(4096).unwrap();
        let units: Vec<AtomicU64> = (0..4).map(|_| AtomicU64::new(0)).collect();
        let (words, own) = (QueueWords::zeroed(), Own::default());
        let face = Face { is_joinable: true, ..Face::PLAIN };
        let shape = Shape { count_max: 1, size_max: 8, face };
        let view = View::new(&words, &units, segment.attachment(), shape, &own);
        type Call<'a> = &'a dyn Fn(&mut Deadline) -> Option<Error>;
        let calls: [(Call<'_>, Error); 5] = [
            (&|deadline| view.get(&mut [0; 8], deadline).err(), Error::Empty),
            (&|deadline| view.borrow(deadline).err(), Error::Empty),
            (&|deadline| view.put(b"two", deadline).err(), Error::Full),
            (&|deadline| view.reserve(1, deadline).err(), Error::Full),
            (&|deadline| view.join(deadline).err(), Error::TimedOut),
        ];
        for (nth, (call, error)) in calls.into_iter().enumerate() {
            if nth == 2 {
                assert_eq!(view.put(b"one", &mut Deadline::passed()), Ok(()));
            }
            let mut deadline = Duration::from_millis(1).into();
            assert_eq!(call(&mut deadline), Some(error));
            assert!(is_passed(deadline), "call {nth}");
        }
    }

    #[test]
    fn a_limit_begins_with_the_wait_for_a_lock_and_not_before() {
        let segment = purlin_shm::Segment::anonymous(4096).unwrap();
        let (words, own) = (QueueWords::zeroed(), Own::default());
        let shape = Shape { count_max: 1, size_max: 8, face: Face::PLAIN };
        let view = View::new(&words, &[], segment.attachment(), shape, &own);
        let unstarted = Deadline::from(Duration::from_millis(1));
        let mut deadline = unstarted;
        assert_eq!(view.enter_within(&words.tail_lock, &mut deadline), Ok(()));
        assert_eq!(deadline, unstarted);
        let late = view.enter_within(&words.tail_lock, &mut deadline);
        assert_eq!((late, is_passed(deadline)), (Err(LockError::TimedOut), true));
    }

    #[test]
    fn words_of_zeros_are_an_empty_ring_from_one_to_one() {
        let segment = purlin_shm::Segment::anonymous(4096).unwrap();
        let units: Vec<AtomicU64> = (0..4).map(|_| AtomicU64::new(0)).collect();
        let words = SpscWords::zeroed();
        let shape = SpscShape { count_max: 2, size_max: 8 };
        let view = SpscView::new(&words, &units, segment.attachment(), shape);
        let mut sending = view.begin_to_send();
        assert_eq!(view.send(&mut sending, b"one", Deadline::passed()), Ok(()));
        assert_eq!(view.len(), 1);
    }

    #[test]
    fn bytes_that_go_round_the_end_are_in_no_one_place() {
        let units: Vec<AtomicU64> = (0..8).map(|_| AtomicU64::new(0)).collect();
        let ring = Ring(&units);
        assert_eq!(ring.contiguous(6, 16), Some(units[6].as_ptr().cast()));
        assert_eq!(ring.contiguous(8 + 6, 17), None);
        assert_eq!(ring.contiguous(0, 64), Some(units[0].as_ptr().cast()));
        assert!(ring.contiguous(8, 0).is_some());
    }

    #[test]
    fn bytes_come_out_as_they_went_in_also_around_the_end() {
        let units: Vec<AtomicU64> = (0..8).map(|_| AtomicU64::new(u64::MAX)).collect();
        let ring = Ring(&units);
        for place in [0, 5, 7, 8 + 6, (1 << 36) - 1] {
            for len in 0..=64 {
                let bytes: Vec<u8> = (0..len).map(|byte| byte as u8 ^ place as u8).collect();
                ring.write(place, &bytes);
                let mut out = vec![0xaa; len];
                ring.read(place, &mut out);
                assert_eq!(out, bytes, "{len} bytes at {place}");
            }
        }
    }
}
