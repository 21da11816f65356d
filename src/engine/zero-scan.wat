;; Looks for the first place in a memory that is not zero, 256 bytes at a time. `@` stands for the width of an
;; address: the same text makes the module for 32-bit and for 64-bit memories.
(module
  (import "e" "m" (memory @ 0))
  ;; Both ends are multiples of 256. Answers the address of the first block with a bit set, or `end`.
  (func (export "next") (param $at i@) (param $end i@) (result i@)
    (loop $block
      (if (i@.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
      (if
        (v128.any_true
          (v128.or
            (v128.or
              (v128.or
                (v128.or (v128.load (local.get $at)) (v128.load offset=16 (local.get $at)))
                (v128.or (v128.load offset=32 (local.get $at)) (v128.load offset=48 (local.get $at))))
              (v128.or
                (v128.or (v128.load offset=64 (local.get $at)) (v128.load offset=80 (local.get $at)))
                (v128.or (v128.load offset=96 (local.get $at)) (v128.load offset=112 (local.get $at)))))
            (v128.or
              (v128.or
                (v128.or (v128.load offset=128 (local.get $at)) (v128.load offset=144 (local.get $at)))
                (v128.or (v128.load offset=160 (local.get $at)) (v128.load offset=176 (local.get $at))))
              (v128.or
                (v128.or (v128.load offset=192 (local.get $at)) (v128.load offset=208 (local.get $at)))
                (v128.or (v128.load offset=224 (local.get $at)) (v128.load offset=240 (local.get $at)))))))
        (then (return (local.get $at))))
      (local.set $at (i@.add (local.get $at) (i@.const 256)))
      (br $block))
    (unreachable)))
