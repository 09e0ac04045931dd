//! Messages by iceoryx2 from this process to another, each on a processor of its own, written and
//! read where they stand: as often as it is told, for the bench of queues. See
//! `benches/src/foreign.rs` for what it is told by.
//!
//! ```text
//! iceoryx2_traffic COUNT SIZE TOUCHED
//! ```
//!
//! A publisher and a subscriber, as their documentation has them; nothing is lost: whoever sends
//! tries again while the other has `COUNT` messages.

use std::cell::OnceCell;
use std::error::Error;
use std::io::BufRead;
use std::path::PathBuf;

use iceoryx2::config::Config;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::publish_subscribe::PortFactory;
use purlin_benches::{Carries, Traffic, read_first, write_first};

type Service = ipc::Service;

fn main() -> Result<(), Box<dyn Error>> {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|one| one.parse().ok()).collect();
    let [count, size, touched_bytes] = sizes[..] else {
        return Err("usage: iceoryx2_traffic COUNT SIZE TOUCHED".into());
    };
    let folder = Folder::new()?;
    {
        let carrier = Iceoryx::new(config(&folder.0)?, count, size, touched_bytes);
        let traffic = Traffic::between_processes(carrier, size)?;
        println!("ready");
        for line in std::io::stdin().lock().lines() {
            match line?.trim().parse()? {
                0 => break,
                count => traffic.send_all(count),
            }
            println!("done");
        }
    }
    // The receiver was ended: what it leaves is taken away by whoever comes next.
    NodeBuilder::new().config(&config(&folder.0)?).create::<Service>()?;
    Ok(())
}

/// Where all that is made goes, but for shared memory.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Box<dyn Error>> {
        let path = std::env::temp_dir().join(format!("iceoryx2-traffic-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        // A file for all nodes of this prefix stays in shared memory, whoever has gone.
        let left = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten();
        let ours = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(&prefix());
        for file in left.filter(|file| ours(&file.file_name())) {
            let _ = std::fs::remove_file(file.path());
        }
    }
}

fn prefix() -> String {
    format!("traffic{}_", std::process::id())
}

fn config(root: &std::path::Path) -> Result<Config, Box<dyn Error>> {
    let mut config = Config::default();
    config.global.set_root_path(&Path::new(root.as_os_str().as_encoded_bytes())?);
    config.global.prefix = FileName::new(prefix().as_bytes())?;
    Ok(config)
}

/// Each end is made in the process that uses it.
struct Iceoryx {
    config: Config,
    count: usize,
    touched_bytes: usize,
    size: usize,
    publisher: OnceCell<Publisher<Service, [u8], ()>>,
    subscriber: OnceCell<Subscriber<Service, [u8], ()>>,
}

impl Iceoryx {
    fn new(config: Config, count: usize, size: usize, touched_bytes: usize) -> Self {
        let (publisher, subscriber) = (OnceCell::new(), OnceCell::new());
        Self { config, count, touched_bytes, size, publisher, subscriber }
    }

    fn service(&self) -> Result<PortFactory<Service, [u8], ()>, Box<dyn Error>> {
        let node = NodeBuilder::new().config(&self.config).create::<Service>()?;
        let service = node.service_builder(&"traffic".try_into()?).publish_subscribe::<[u8]>();
        let service = service.enable_safe_overflow(false).history_size(0);
        let service = service.max_publishers(1).max_subscribers(1).max_nodes(2);
        Ok(service.subscriber_max_buffer_size(self.count).open_or_create()?)
    }

    fn make_publisher(&self) -> Result<Publisher<Service, [u8], ()>, Box<dyn Error>> {
        let service = self.service()?;
        let builder = service.publisher_builder().initial_max_slice_len(self.size);
        Ok(builder.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered).create()?)
    }

    fn make_subscriber(&self) -> Result<Subscriber<Service, [u8], ()>, Box<dyn Error>> {
        Ok(self.service()?.subscriber_builder().create()?)
    }
}

impl Carries for Iceoryx {
    #[inline]
    fn send(&self, message: &[u8]) {
        let publisher = self.publisher.get_or_init(|| self.make_publisher().expect("a publisher"));
        // Ends: once the subscriber, which is there, has connected; until it has, what does not fit
        // goes to nobody.
        loop {
            let place = publisher.loan_slice_uninit(message.len()).expect("one is free");
            // SAFETY: They are bytes of a mapping of a file, which the kernel has filled with
            // zeros: each has a value, and any is one of `u8`.
            let mut place = unsafe { place.assume_init() };
            write_first(&mut place.payload_mut()[..self.touched_bytes], message[0]);
            if place.send().expect("it is there") > 0 {
                return;
            }
        }
    }

    #[inline]
    fn receive(&self, _: &mut [u8]) {
        let subscriber = self.subscriber.get().expect("begun");
        // Ends: when the other has sent one.
        loop {
            if let Some(lent) = subscriber.receive().expect("somebody sends") {
                return read_first(&lent.payload()[..self.touched_bytes]);
            }
            std::hint::spin_loop();
        }
    }

    fn begin_to_receive(&self) {
        self.subscriber.get_or_init(|| self.make_subscriber().expect("a subscriber"));
    }
}
