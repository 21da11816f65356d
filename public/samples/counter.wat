;; A counter, and an echo: the smallest useful AO process, in WebAssembly text with a 64-bit memory.
;;
;; It speaks the AO standalone ABI. The host calls `malloc` for two JSON texts (the message and its environment,
;; NUL-terminated), then `handle` with their addresses, and reads the NUL-terminated JSON text at the address
;; that `handle` gives back.
;;
;;   Action = Inc | Dec   adds or subtracts the tag `By` (default 1)
;;   Action = Set         takes the tag `To`
;;   Action = Reset       goes back to 0
;;   anything else        answers with the message's own Data, and counts the call
;;
;; Every answer carries a message with `method: PATCH`: the device patch@1.0 writes its other keys into the state,
;; so that /now/count and /now/calls can be read.
;;
;; All state is in linear memory, since that is what a snapshot keeps. Texts live in an arena that is given back
;; when an answer is complete, so memory stays as small as its largest message.
(module
  (memory (export "memory") i64 2)

  ;; 0     always zero: an address of 0 means "none"
  ;; 16    count, i64
  ;; 24    calls, i64
  ;; 32    arena: next free address, i64; 0 before the first call
  ;; 40    end of the answer that is being written, i64
  (data (i64.const 64) "{\"name\":\"Action\",\"value\":\"") ;; 26 bytes
  (data (i64.const 96) "{\"name\":\"By\",\"value\":\"")     ;; 22 bytes
  (data (i64.const 128) "{\"name\":\"To\",\"value\":\"")    ;; 22 bytes
  (data (i64.const 160) "\"Data\":\"")                      ;; 8 bytes
  (data (i64.const 176) "Inc\"")
  (data (i64.const 184) "Dec\"")
  (data (i64.const 192) "Set\"")
  (data (i64.const 200) "Reset\"")
  (data (i64.const 256) "{\"ok\":true,\"response\":{\"Output\":{\"data\":\"")                           ;; 41 bytes
  (data (i64.const 320) "\"},\"Messages\":[{\"method\":\"PATCH\",\"count\":")                         ;; 41 bytes
  (data (i64.const 384) ",\"calls\":")                                                                 ;; 9 bytes
  (data (i64.const 400) ",\"Tags\":[]}],\"Spawns\":[],\"Assignments\":[]}}\00")                         ;; 43 bytes and a NUL

  (func $malloc (export "malloc") (param $size i64) (result i64)
    (local $at i64)
    (local $end i64)
    (local $missing i64)
    (local.set $at (i64.load (i64.const 32)))
    (if (i64.eqz (local.get $at)) (then (local.set $at (i64.const 1024))))
    (local.set $end
      (i64.and (i64.add (i64.add (local.get $at) (local.get $size)) (i64.const 15)) (i64.const -16)))
    (if (i64.lt_u (local.get $end) (local.get $at)) (then (return (i64.const 0))))
    (local.set $missing
      (i64.sub
        (i64.shr_u (i64.add (local.get $end) (i64.const 65535)) (i64.const 16))
        (memory.size)))
    (if (i64.gt_s (local.get $missing) (i64.const 0))
      (then
        (if (i64.eq (memory.grow (local.get $missing)) (i64.const -1)) (then (return (i64.const 0))))))
    (i64.store (i64.const 32) (local.get $end))
    (local.get $at))

  ;; The arena is given back as a whole: see the end of `handle`.
  (func (export "free") (param i64))

  ;; 1 if `length` bytes at both addresses are the same.
  (func $same (param $a i64) (param $b i64) (param $length i64) (result i32)
    (block $differ
      (loop $next
        (if (i64.eqz (local.get $length)) (then (return (i32.const 1))))
        (br_if $differ (i32.ne (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b))))
        (local.set $a (i64.add (local.get $a) (i64.const 1)))
        (local.set $b (i64.add (local.get $b) (i64.const 1)))
        (local.set $length (i64.sub (local.get $length) (i64.const 1)))
        (br $next)))
    (i32.const 0))

  ;; The address behind the first occurrence of a pattern in a NUL-terminated text, or 0. A pattern that holds a
  ;; bare quote cannot be found inside a JSON string, where quotes are escaped.
  (func $behind (param $text i64) (param $pattern i64) (param $length i64) (result i64)
    (loop $next
      (if (i32.eqz (i32.load8_u (local.get $text))) (then (return (i64.const 0))))
      (if (call $same (local.get $text) (local.get $pattern) (local.get $length))
        (then (return (i64.add (local.get $text) (local.get $length)))))
      (local.set $text (i64.add (local.get $text) (i64.const 1)))
      (br $next))
    (unreachable))

  ;; The decimal number at an address; the default if there is none. Wraps at 64 bits.
  (func $number (param $at i64) (param $default i64) (result i64)
    (local $sign i64)
    (local $value i64)
    (local $digit i64)
    (local $any i32)
    (if (i64.eqz (local.get $at)) (then (return (local.get $default))))
    (local.set $sign (i64.const 1))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 45))
      (then
        (local.set $sign (i64.const -1))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))))
    (block $done
      (loop $next
        (local.set $digit (i64.sub (i64.load8_u (local.get $at)) (i64.const 48)))
        (br_if $done (i64.gt_u (local.get $digit) (i64.const 9)))
        (local.set $any (i32.const 1))
        (local.set $value
          (i64.add (i64.mul (local.get $value) (i64.const 10)) (local.get $digit)))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $next)))
    (if (i32.eqz (local.get $any)) (then (return (local.get $default))))
    (i64.mul (local.get $sign) (local.get $value)))

  (func $put (param $byte i32)
    (local $at i64)
    (local.set $at (i64.load (i64.const 40)))
    (i32.store8 (local.get $at) (local.get $byte))
    (i64.store (i64.const 40) (i64.add (local.get $at) (i64.const 1))))

  (func $write (param $from i64) (param $length i64)
    (local $at i64)
    (local.set $at (i64.load (i64.const 40)))
    (memory.copy (local.get $at) (local.get $from) (local.get $length))
    (i64.store (i64.const 40) (i64.add (local.get $at) (local.get $length))))

  (func $digits (param $value i64)
    (if (i64.ge_u (local.get $value) (i64.const 10))
      (then (call $digits (i64.div_u (local.get $value) (i64.const 10)))))
    (call $put (i32.wrap_i64 (i64.add (i64.rem_u (local.get $value) (i64.const 10)) (i64.const 48)))))

  (func $write_number (param $value i64)
    (if (i64.lt_s (local.get $value) (i64.const 0))
      (then
        (call $put (i32.const 45))
        (local.set $value (i64.sub (i64.const 0) (local.get $value)))))
    (call $digits (local.get $value)))

  ;; Length of a JSON string's inside, from behind its opening quote to before its closing one.
  (func $inside (param $at i64) (result i64)
    (local $start i64)
    (local $byte i32)
    (local.set $start (local.get $at))
    (block $done
      (loop $next
        (local.set $byte (i32.load8_u (local.get $at)))
        (br_if $done (i32.eqz (local.get $byte)))
        (br_if $done (i32.eq (local.get $byte) (i32.const 34)))
        ;; A backslash takes the next character with it.
        (if (i32.eq (local.get $byte) (i32.const 92))
          (then (local.set $at (i64.add (local.get $at) (i64.const 1)))))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $next)))
    (i64.sub (local.get $at) (local.get $start)))

  (func $handle (export "handle") (param $message i64) (param $environment i64) (result i64)
    (local $action i64)
    (local $data i64)
    (local $length i64)
    (local $reply i64)
    (local $echo i32)
    (i64.store (i64.const 24) (i64.add (i64.load (i64.const 24)) (i64.const 1)))
    (local.set $action (call $behind (local.get $message) (i64.const 64) (i64.const 26)))
    (block $known
      (if (i64.ne (local.get $action) (i64.const 0))
        (then
          (if (call $same (local.get $action) (i64.const 176) (i64.const 4))
            (then
              (i64.store (i64.const 16)
                (i64.add
                  (i64.load (i64.const 16))
                  (call $number
                    (call $behind (local.get $message) (i64.const 96) (i64.const 22))
                    (i64.const 1))))
              (br $known)))
          (if (call $same (local.get $action) (i64.const 184) (i64.const 4))
            (then
              (i64.store (i64.const 16)
                (i64.sub
                  (i64.load (i64.const 16))
                  (call $number
                    (call $behind (local.get $message) (i64.const 96) (i64.const 22))
                    (i64.const 1))))
              (br $known)))
          (if (call $same (local.get $action) (i64.const 192) (i64.const 4))
            (then
              (i64.store (i64.const 16)
                (call $number
                  (call $behind (local.get $message) (i64.const 128) (i64.const 22))
                  (i64.load (i64.const 16))))
              (br $known)))
          (if (call $same (local.get $action) (i64.const 200) (i64.const 6))
            (then
              (i64.store (i64.const 16) (i64.const 0))
              (br $known)))))
      (local.set $echo (i32.const 1))
      (local.set $data (call $behind (local.get $message) (i64.const 160) (i64.const 8)))
      (if (i64.ne (local.get $data) (i64.const 0))
        (then (local.set $length (call $inside (local.get $data))))))
    (local.set $reply (call $malloc (i64.add (local.get $length) (i64.const 256))))
    (if (i64.eqz (local.get $reply)) (then (unreachable)))
    (i64.store (i64.const 40) (local.get $reply))
    (call $write (i64.const 256) (i64.const 41))
    (if (local.get $echo)
      (then (call $write (local.get $data) (local.get $length)))
      (else (call $write_number (i64.load (i64.const 16)))))
    (call $write (i64.const 320) (i64.const 41))
    (call $write_number (i64.load (i64.const 16)))
    (call $write (i64.const 384) (i64.const 9))
    (call $write_number (i64.load (i64.const 24)))
    (call $write (i64.const 400) (i64.const 44))
    ;; The host has read the last answer when it asks for room again: the arena can begin anew.
    (i64.store (i64.const 32) (i64.const 1024))
    (local.get $reply))
)
