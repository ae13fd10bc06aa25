//! An answer that is too large to be written in one turn: what it carries, and how far it is.

use crate::base::scraps::Scraps;
use crate::base::value::Value;
use crate::base::words::Fault;
use crate::rpc::Reply;
use crate::wire::xml_write::{self, Place};

/// An answer that is being written: a value with so many parts that others get their turn meanwhile.
pub(super) struct Writing {
    /// What it carries.
    pub(super) result: Result<Reply, Fault>,
    /// How far it is written.
    pub(super) place: Place,
    /// The body so far, behind room for its head.
    pub(super) body: Vec<u8>,
}

/// What is written of an answer.
pub(super) enum Written {
    /// All of it; its size in bytes.
    Whole(usize),
    /// A part of its body, which went no further than this.
    Part(Place, Vec<u8>),
}

impl Writing {
    /// Goes on with what [`Answers::result`](super::answer::Answers::result) began.
    pub(super) fn new(result: Result<Reply, Fault>, place: Place, body: Vec<u8>) -> Writing {
        Writing { result, place, body }
    }

    /// Is over: what it carries, if nobody else has it, is freed in steps.
    pub(super) fn leave(&mut self, scraps: &mut Scraps) {
        match std::mem::replace(&mut self.result, Ok(Value::Nil.into())) {
            Ok(Reply::Value(value)) => drop(scraps.add(value)),
            Ok(Reply::Shared(entry)) => drop(entry.leave(scraps)),
            Ok(Reply::Structs(_)) | Err(_) => {}
        }
    }
}

/// Writes the next piece of an answer's body, but of structs, which have another writer. Returns whether that was all.
pub(super) fn write_piece(body: &mut Vec<u8>, result: &Result<Reply, Fault>, place: &mut Place, limit: usize) -> bool {
    match result {
        Ok(Reply::Value(value)) => xml_write::write_response_piece(body, value, place, limit),
        Ok(Reply::Shared(entry)) => xml_write::write_response_piece(body, entry.value(), place, limit),
        Ok(Reply::Structs(_)) => true,
        Err(fault) => xml_write::write_fault_piece(body, fault, place, limit),
    }
}
