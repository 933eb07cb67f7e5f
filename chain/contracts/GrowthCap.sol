// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Roles} from "./Roles.sol";

/// @title GrowthCap
/// @notice Bounds how fast the settled total grows: over any span t by at most cap * (1 + t / capWindow).
/// It is a leaky bucket: growth goes in, a cap a capWindow leaks out, and it holds one cap.
abstract contract GrowthCap is Roles {
    /// @notice `total` may grow by `available` now.
    error OverCap(uint256 available);

    /// @notice The cap is `cap` from `effectiveAt` on; a raise announced before and still waiting is dropped.
    event CapChanged(uint256 cap, uint256 effectiveAt);

    /// @notice Seconds in which a used cap comes back.
    uint64 public immutable capWindow;

    /// One slot.  A raise is waiting while raiseAt is not zero, even when its time has come: `_settled` carries
    /// it out in memory, the next writer stores that.
    struct Bucket {
        uint128 used;
        uint40 asOf;
        uint40 raiseAt;
    }

    struct Cap {
        uint128 current;
        uint128 raised;
    }

    Bucket private _bucket;
    Cap private _cap;

    constructor(uint256 cap_, uint64 capWindow_) {
        if (capWindow_ == 0) revert BadConfig();
        capWindow = capWindow_;
        _cap.current = _checkedCap(cap_);
        emit CapChanged(cap_, block.timestamp);
    }

    /// @notice A lower cap counts at once, a higher one after roleDelay; a raise still waiting is dropped.  What
    /// grew before stays in the bucket and leaks at the new cap's pace: far below it, room comes back late.
    function setCap(uint256 cap_) external onlyOwner {
        uint128 wanted = _checkedCap(cap_);
        (Bucket memory bucket, Cap memory limit,) = _settled();
        uint256 effectiveAt = block.timestamp;
        bucket.raiseAt = 0;
        if (wanted > limit.current) {
            effectiveAt += roleDelay;
            bucket.raiseAt = uint40(effectiveAt);
            limit.raised = wanted;
        } else {
            limit.current = wanted;
        }
        _bucket = bucket;
        _cap = limit;
        emit CapChanged(cap_, effectiveAt);
    }

    /// @notice The cap that counts now.
    function cap() external view returns (uint256) {
        (, Cap memory limit,) = _settled();
        return limit.current;
    }

    /// @notice By how much `total` may grow now.
    function capAvailable() external view returns (uint256) {
        (Bucket memory bucket, Cap memory limit,) = _settled();
        return _room(bucket, limit);
    }

    function _grow(uint256 growth) internal {
        (Bucket memory bucket, Cap memory limit, bool isRaised) = _settled();
        uint256 available = _room(bucket, limit);
        if (growth > available) revert OverCap(available);
        bucket.used += uint128(growth);
        _bucket = bucket;
        if (isRaised) _cap = limit;
    }

    /// @dev Floored at zero this leaves exactly what the bucket would hold had `growth` never gone in.
    function _giveBack(uint256 growth) internal {
        (Bucket memory bucket, Cap memory limit, bool isRaised) = _settled();
        bucket.used = uint128(Math.saturatingSub(bucket.used, growth));
        _bucket = bucket;
        if (isRaised) _cap = limit;
    }

    /// @dev Bucket and cap as of now: a raise whose time has come is carried out, each cap leaks in its own time.
    function _settled() private view returns (Bucket memory bucket, Cap memory limit, bool isRaised) {
        bucket = _bucket;
        limit = _cap;
        if (bucket.raiseAt != 0 && block.timestamp >= bucket.raiseAt) {
            _leak(bucket, limit.current, bucket.raiseAt);
            limit.current = limit.raised;
            bucket.raiseAt = 0;
            isRaised = true; // the cap's slot is written only then: most commits leave it alone
        }
        _leak(bucket, limit.current, uint40(block.timestamp));
    }

    function _leak(Bucket memory bucket, uint256 cap_, uint40 until) private view {
        uint256 leaked = cap_ * (until - bucket.asOf) / capWindow;
        bucket.used = uint128(Math.saturatingSub(bucket.used, leaked));
        bucket.asOf = until;
    }

    function _room(Bucket memory bucket, Cap memory limit) private pure returns (uint256) {
        return Math.saturatingSub(limit.current, bucket.used);
    }

    function _checkedCap(uint256 cap_) private pure returns (uint128) {
        // Totals stay below 2^128, so no larger cap means anything.
        if (cap_ == 0 || cap_ > type(uint128).max) revert BadConfig();
        return uint128(cap_);
    }
}
