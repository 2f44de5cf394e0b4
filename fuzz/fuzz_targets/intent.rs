#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| instancelink_properties::fuzz::intent(data));
