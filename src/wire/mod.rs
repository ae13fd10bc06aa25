//! Bytes to meaning and back, in pieces of any size; no sockets, no clocks.

pub mod ansi;
pub mod capture;
pub mod gzip;
pub mod gzip_stream;
pub mod http_body;
pub mod http_client;
pub mod http_headers;
pub mod http_in;
pub mod http_out;
pub mod listener;
#[cfg(test)]
mod split;
mod xml_call;
mod xml_feed;
mod xml_members;
mod xml_plain;
mod xml_quick;
pub mod xml_read;
mod xml_tree;
mod xml_whole;
pub mod xml_write;
