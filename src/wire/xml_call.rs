//! A method call as it was read, in room that the next one uses again.

use crate::base::limits;
use crate::base::scraps::Scraps;
use crate::base::value::Value;

/// A method call.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Call {
    /// As written, blanks included (RPC-001).
    pub method: String,
    /// The arguments.
    pub params: Vec<Value>,
}

impl Call {
    /// Is over: what the next one can't use again, or would take much memory, goes.
    pub fn give_back(&mut self, scraps: &mut Scraps) {
        let keeps = |text: &String| text.capacity() <= limits::KEEP_TEXT_BYTES;
        if !keeps(&self.method) {
            self.method = String::new();
        }
        for value in self.params.drain(self.params.len().min(limits::KEEP_TEXTS)..) {
            scraps.add(value);
        }
        for value in &mut self.params {
            if !matches!(value, Value::Str(text) if keeps(text)) {
                scraps.add(std::mem::replace(value, Value::Nil));
            }
        }
    }

    /// Takes the room of a text that the answer was made of.
    pub fn use_again(&mut self, value: Value) {
        if let (Some(place), Value::Str(text)) = (self.params.first_mut(), &value)
            && text.capacity() <= limits::KEEP_TEXT_BYTES
        {
            *place = value;
        }
    }
}
