using System.Text;

namespace Tapestry.Protocol.Encoding;

/// <summary>The type bytes of the MessagePack forms that the canonical subset uses.</summary>
/// <remarks>The MessagePack specification, "Formats"; nil, maps, extension types and float32 are left out on purpose.</remarks>
internal static class Format
{
    internal const byte FixArray = 0x90;
    internal const byte FixString = 0xa0;
    internal const byte False = 0xc2;
    internal const byte True = 0xc3;
    internal const byte Bin8 = 0xc4;
    internal const byte Bin16 = 0xc5;
    internal const byte Bin32 = 0xc6;
    internal const byte Float64 = 0xcb;
    internal const byte UInt8 = 0xcc;
    internal const byte UInt16 = 0xcd;
    internal const byte UInt32 = 0xce;
    internal const byte UInt64 = 0xcf;
    internal const byte Int8 = 0xd0;
    internal const byte Int16 = 0xd1;
    internal const byte Int32 = 0xd2;
    internal const byte Int64 = 0xd3;
    internal const byte String8 = 0xd9;
    internal const byte String16 = 0xda;
    internal const byte String32 = 0xdb;
    internal const byte Array16 = 0xdc;
    internal const byte Array32 = 0xdd;

    internal const int PositiveFixIntMaximum = 127;
    internal const int NegativeFixIntMinimum = -32;
    internal const int FixArrayMaximum = 15;
    internal const int FixStringMaximum = 31;

    /// <summary>UTF-8 that refuses what is not UTF-8 instead of replacing it.</summary>
    internal static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether a number has exactly one encoding that every language reads alike.</summary>
    internal static bool IsCanonical(double value) =>
        double.IsFinite(value) && (value != 0 || !double.IsNegative(value));
}
