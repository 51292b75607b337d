//! An append-only file: one write and one `fdatasync` for all records that wait, into space
//! that was written before. Nothing is ever read back: this is a measure, not a store.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
};

use tokio::sync::{mpsc, oneshot};

const PREALLOCATED_BYTES: u64 = 64 << 20;
const RECORDS_MAX: usize = 4096;

struct Record {
    bytes: Vec<u8>,
    done: oneshot::Sender<()>,
}

/// The journal; its thread ends with the last clone.
#[derive(Clone)]
pub struct Journal(mpsc::Sender<Record>);

impl Journal {
    /// Makes the file and starts its thread.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = File::create_new(path)?;
        let zeros = vec![0; 1 << 20];
        for _ in 0..PREALLOCATED_BYTES >> 20 {
            file.write_all(&zeros)?;
        }
        file.sync_all()?;
        let (records, receiver) = mpsc::channel(RECORDS_MAX);
        std::thread::spawn(move || write(file, receiver));
        Ok(Self(records))
    }

    /// Appends a record; durable when it returns.
    pub async fn append(&self, bytes: Vec<u8>) {
        let (done, durable) = oneshot::channel();
        let sent = self.0.send(Record { bytes, done }).await;
        assert!(sent.is_ok() && durable.await.is_ok(), "the journal failed");
    }
}

fn write(mut file: File, mut records: mpsc::Receiver<Record>) {
    let (mut offset, mut group, mut bytes) = (0, Vec::new(), Vec::new());
    while records.blocking_recv_many(&mut group, RECORDS_MAX) > 0 {
        bytes.clear();
        for record in &group {
            let length = u32::try_from(record.bytes.len()).expect("records are small");
            bytes.extend(length.to_le_bytes());
            bytes.extend(crc32c::crc32c(&record.bytes).to_le_bytes());
            bytes.extend(&record.bytes);
        }
        if offset + bytes.len() as u64 > PREALLOCATED_BYTES {
            offset = 0;
        }
        let wrote = file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| file.write_all(&bytes))
            .and_then(|()| file.sync_data());
        wrote.expect("the disk takes what is written");
        offset += bytes.len() as u64;
        for record in group.drain(..) {
            let _ = record.done.send(());
        }
    }
}
