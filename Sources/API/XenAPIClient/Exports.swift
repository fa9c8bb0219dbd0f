// What every signature of this library is made of: whoever imports it has them too.
@_exported public import APITypes
@_exported public import RPCCodec
